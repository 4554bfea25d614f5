// SPDX-License-Identifier: MIT
#include <cstring>
#include <memory>
#include <vector>

#include <lmdb.h>

#include "services/replica/environment.h"

namespace idzone::replica {
namespace {

MDB_val ToValue(OctetsView octets) {
  return MDB_val{octets.size(), const_cast<char*>(octets.data())};
}

OctetsView ToView(const MDB_val& value) {
  return OctetsView(static_cast<const char*>(value.mv_data), value.mv_size);
}

tl::unexpected<Error> Failed(const std::string& what, int code) {
  if (code == MDB_MAP_FULL)
    return Fail(Reason::kLimitExceeded, "replica", "room in the map: raise replica.map_size_mib and restart", "a full one");
  if (code == MDB_READERS_FULL) return Fail(Reason::kLimitExceeded, "replica", "a free reader slot", "none");
  return Fail(Reason::kInternal, "replica", what + " that works", mdb_strerror(code));
}

Result<std::optional<OctetsView>> GetIn(MDB_txn* txn, unsigned tree, OctetsView key) {
  MDB_val wanted = ToValue(key);
  MDB_val value{};
  const int code = mdb_get(txn, tree, &wanted, &value);
  if (code == MDB_NOTFOUND) return std::optional<OctetsView>();
  if (code != 0) return Failed("a look-up", code);
  return std::optional<OctetsView>(ToView(value));
}

}  // namespace

ReadTransaction::~ReadTransaction() {
  if (txn_ != nullptr) mdb_txn_abort(txn_);
}

Result<void> ReadTransaction::Renew() {
  Release();
  const int code = txn_ == nullptr ? mdb_txn_begin(environment_->env_, nullptr, MDB_RDONLY, &txn_) : mdb_txn_renew(txn_);
  if (code != 0) return Failed("a read transaction", code);
  held_ = true;
  return {};
}

void ReadTransaction::Release() {
  if (held_) mdb_txn_reset(txn_);
  held_ = false;
}

std::uint64_t ReadTransaction::id() const {
  return mdb_txn_id(txn_);
}

Result<std::optional<OctetsView>> ReadTransaction::Get(Tree tree, OctetsView key) const {
  IDZONE_INVARIANT(held_, "a snapshot is held while it is read");
  return GetIn(txn_, environment_->trees_[static_cast<unsigned>(tree)], key);
}

Result<void> ReadTransaction::CheckFreePages() const {
  IDZONE_INVARIANT(held_, "a snapshot is held while it is read");
  // The first tree of every environment: transaction number -> a count, then that many page numbers, descending.
  constexpr MDB_dbi kFreePages = 0;
  constexpr std::size_t kFirstPage = 2;  // behind the two meta pages
  MDB_envinfo info{};
  mdb_env_info(environment_->env_, &info);
  MDB_cursor* raw = nullptr;
  if (const int code = mdb_cursor_open(txn_, kFreePages, &raw); code != 0) return Failed("a cursor", code);
  const std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)> cursor(raw, mdb_cursor_close);
  MDB_val key{};
  MDB_val value{};
  int code = 0;
  while ((code = mdb_cursor_get(raw, &key, &value, MDB_NEXT)) == 0) {
    std::vector<std::size_t> pages(value.mv_size / sizeof(std::size_t));
    if (!pages.empty()) std::memcpy(pages.data(), value.mv_data, pages.size() * sizeof(std::size_t));
    bool right = !pages.empty() && pages.front() < pages.size();
    std::size_t below = info.me_last_pgno + 1;
    for (std::size_t i = 1; right && i <= pages.front(); ++i) {
      right = pages[i] >= kFirstPage && pages[i] < below;
      below = pages[i];
    }
    if (!right) return Fail(Reason::kEncodingMalformed, "free pages", "pages of the file, in descending order", "others");
  }
  if (code != MDB_NOTFOUND) return Failed("a step", code);
  return {};
}

Result<WriteTransaction> WriteTransaction::Begin(const std::shared_ptr<Environment>& environment) {
  MDB_txn* txn = nullptr;
  environment->NoteLength();
  environment->GrowAhead();
  if (const int code = mdb_txn_begin(environment->env_, nullptr, 0, &txn); code != 0) return Failed("a write transaction", code);
  return WriteTransaction(environment, txn);
}

WriteTransaction::WriteTransaction(WriteTransaction&& other) noexcept
    : environment_(std::move(other.environment_)), txn_(std::exchange(other.txn_, nullptr)) {}

WriteTransaction::~WriteTransaction() {
  if (txn_ != nullptr) mdb_txn_abort(txn_);
}

Result<std::optional<OctetsView>> WriteTransaction::Get(Tree tree, OctetsView key) const {
  return GetIn(txn_, environment_->trees_[static_cast<unsigned>(tree)], key);
}

Result<void> WriteTransaction::Put(Tree tree, OctetsView key, OctetsView value) {
  MDB_val place = ToValue(key);
  MDB_val content = ToValue(value);
  if (const int code = mdb_put(txn_, environment_->trees_[static_cast<unsigned>(tree)], &place, &content, 0); code != 0)
    return Failed("a write", code);
  return {};
}

Result<bool> WriteTransaction::Remove(Tree tree, OctetsView key) {
  MDB_val place = ToValue(key);
  const int code = mdb_del(txn_, environment_->trees_[static_cast<unsigned>(tree)], &place, nullptr);
  if (code == MDB_NOTFOUND) return false;
  if (code != 0) return Failed("a removal", code);
  return true;
}

Result<void> WriteTransaction::Commit() {
  // LMDB frees the transaction, whatever the outcome.
  if (const int code = mdb_txn_commit(std::exchange(txn_, nullptr)); code != 0) return Failed("a commit", code);
  environment_->NoteLength();
  return {};
}

Result<Cursor> Cursor::Open(const ReadTransaction& transaction, Tree tree) {
  IDZONE_INVARIANT(transaction.held_, "a snapshot is held while it is read");
  MDB_cursor* cursor = nullptr;
  const unsigned handle = transaction.environment_->trees_[static_cast<unsigned>(tree)];
  if (const int code = mdb_cursor_open(transaction.txn_, handle, &cursor); code != 0) return Failed("a cursor", code);
  return Cursor(cursor);
}

Result<Cursor> Cursor::Open(const WriteTransaction& transaction, Tree tree) {
  MDB_cursor* cursor = nullptr;
  const unsigned handle = transaction.environment_->trees_[static_cast<unsigned>(tree)];
  if (const int code = mdb_cursor_open(transaction.txn_, handle, &cursor); code != 0) return Failed("a cursor", code);
  return Cursor(cursor);
}

Result<void> Cursor::Renew(const ReadTransaction& transaction) {
  IDZONE_INVARIANT(transaction.held_, "a snapshot is held while it is read");
  if (const int code = mdb_cursor_renew(transaction.txn_, cursor_); code != 0) return Failed("a cursor", code);
  return {};
}

Cursor::~Cursor() {
  if (cursor_ != nullptr) mdb_cursor_close(cursor_);
}

Result<std::optional<Cursor::Entry>> Cursor::Move(int operation, OctetsView key) {
  MDB_val place = ToValue(key);
  MDB_val value{};
  const int code = mdb_cursor_get(cursor_, &place, &value, static_cast<MDB_cursor_op>(operation));
  if (code == MDB_NOTFOUND) return std::optional<Entry>();
  if (code != 0) return Failed("a step", code);
  return std::optional<Entry>(Entry{ToView(place), ToView(value)});
}

Result<std::optional<Cursor::Entry>> Cursor::First() {
  return Move(MDB_FIRST, {});
}
Result<std::optional<Cursor::Entry>> Cursor::Last() {
  return Move(MDB_LAST, {});
}
Result<std::optional<Cursor::Entry>> Cursor::Next() {
  return Move(MDB_NEXT, {});
}
Result<std::optional<Cursor::Entry>> Cursor::Previous() {
  return Move(MDB_PREV, {});
}
Result<std::optional<Cursor::Entry>> Cursor::Seek(OctetsView key) {
  return Move(MDB_SET_RANGE, key);
}

}  // namespace idzone::replica
