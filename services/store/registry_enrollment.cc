// SPDX-License-Identifier: MIT
#include "services/store/registry_enrollment.h"

#include <algorithm>

#include "services/core/base/limits.h"
#include "services/store/database.h"
#include "services/store/failure.h"
#include "services/store/registry_batch.h"

namespace idzone::store {
namespace {

using Transaction = pqxx::transaction_base;
using Key = std::pair<std::int32_t, Octets>;  // namespace, fingerprint

constexpr Statement kReadKeys{"enroll_read_keys",
                              "select c.namespace_id, c.fingerprint, c.identity_id, i.subject, r.identity_id is not null"
                              " from unnest($1::integer[], $2::bytea[]) u(n, f)"
                              " join registry.credential c on c.namespace_id = u.n and c.fingerprint = u.f"
                              " join registry.identity i on i.identity_id = c.identity_id"
                              " left join registry.revocation r on r.identity_id = c.identity_id"};
constexpr Statement kInsertIdentities{"enroll_insert_identities",
                                      "insert into registry.identity (identity_id, namespace_id, subject, batch_id)"
                                      " select * from unnest($1::uuid[], $2::integer[], $3::text[], $4::bigint[]) on conflict do nothing"};
constexpr Statement kInsertCredentials{
    "enroll_insert_credentials",
    "insert into registry.credential (namespace_id, fingerprint, identity_id, rr_type, rdata)"
    " select n, f, i, 52, d from unnest($1::integer[], $2::bytea[], $3::uuid[], $4::bytea[]) u(n, f, i, d)"
    " on conflict do nothing"};

/// Whose key it is.
struct KeyHolder {
  Octets identity_id;
  std::string subject;
  bool revoked = false;
};

/// What is committed about the identities and keys of a batch, and what the batch itself is going to insert.
struct Known {
  std::map<Octets, IdentityRecord> identities;
  std::map<Key, KeyHolder> keys;
  std::map<Octets, std::size_t> new_identities;  // → item
};

Known ReadKnown(Transaction& transaction, const std::vector<Enrollment>& items) {
  std::vector<OctetsView> identity_ids;
  std::vector<std::int32_t> namespaces;
  std::vector<OctetsView> fingerprints;
  for (const Enrollment& item : items) {
    identity_ids.push_back(item.identity_id);
    namespaces.push_back(item.home->namespace_id);
    fingerprints.push_back(item.fingerprint);
  }
  Known known;
  known.identities = ReadIdentities(transaction, identity_ids);
  for (const pqxx::row& row : Execute(transaction, kReadKeys, IntegerArray(namespaces), ByteaArray(fingerprints)))
    known.keys[{row[0].as<std::int32_t>(), OctetsOf(row[1])}] = {UuidOf(row[2]), row[3].as<std::string>(), row[4].as<bool>()};
  return known;
}

tl::unexpected<Error> KeyConflict(const Enrollment& item, OctetsView there) {
  return Fail(Reason::kKeyConflict, "material", "the enrolled key of " + item.subject + ", SHA-256 " + HexEncode(there),
              "another key, SHA-256 " + HexEncode(item.fingerprint));
}

/// Decides one item. Returns nothing in `outcome` when it is to be inserted.
std::optional<Result<Enrolled>> Decide(const Enrollment& item, const Known& known, const std::vector<Enrollment>& items) {
  if (const auto there = known.identities.find(item.identity_id); there != known.identities.end()) {
    const IdentityRecord& identity = there->second;
    if (identity.revoked_at)
      return Fail(Reason::kIdentityRevoked, "id", "a device that was never revoked", item.subject + ", which was revoked for ever");
    if (identity.fingerprint != item.fingerprint) return KeyConflict(item, identity.fingerprint);
    return Enrolled{identity, true};
  }
  if (const auto twin = known.new_identities.find(item.identity_id); twin != known.new_identities.end()) {
    const Enrollment& first = items[twin->second];
    if (first.fingerprint != item.fingerprint) return KeyConflict(item, first.fingerprint);
    return std::nullopt;
  }
  if (const auto holder = known.keys.find({item.home->namespace_id, item.fingerprint}); holder != known.keys.end()) {
    const std::string met = "the key of " + holder->second.subject + ", SHA-256 " + HexEncode(item.fingerprint);
    if (holder->second.revoked) return Fail(Reason::kKeyRevoked, "material", "a key that was never revoked", met);
    return Fail(Reason::kKeyAlreadyBound, "material", "a key of its own for " + item.subject, met);
  }
  return std::nullopt;
}

/// Inserts the chosen items, ascending by key. Throws LostRace when another transaction was faster.
void Insert(Transaction& transaction, const std::vector<const Enrollment*>& chosen, const BatchNumbers& numbers) {
  std::vector<const Enrollment*> sorted = chosen;
  std::vector<OctetsView> ids, fingerprints, rdatas;
  std::vector<std::int32_t> namespaces;
  std::vector<std::string_view> subjects;
  std::vector<std::int64_t> batches;
  std::sort(sorted.begin(), sorted.end(), [](const auto* left, const auto* right) { return left->identity_id < right->identity_id; });
  for (const Enrollment* item : sorted) {
    ids.push_back(item->identity_id);
    namespaces.push_back(item->home->namespace_id);
    subjects.push_back(item->subject);
    batches.push_back(numbers.of_namespace.at(item->home->namespace_id));
  }
  const auto identities =
      Execute(transaction, kInsertIdentities, UuidArray(ids), IntegerArray(namespaces), TextArray(subjects), BigintArray(batches));
  if (identities.affected_rows() != sorted.size()) throw LostRace{};
  std::sort(sorted.begin(), sorted.end(), [](const auto* left, const auto* right) {
    return std::tie(left->home->namespace_id, left->fingerprint) < std::tie(right->home->namespace_id, right->fingerprint);
  });
  ids.clear();
  namespaces.clear();
  for (const Enrollment* item : sorted) {
    namespaces.push_back(item->home->namespace_id);
    fingerprints.push_back(item->fingerprint);
    ids.push_back(item->identity_id);
    rdatas.push_back(item->rdata);
  }
  const auto credentials =
      Execute(transaction, kInsertCredentials, IntegerArray(namespaces), ByteaArray(fingerprints), UuidArray(ids), ByteaArray(rdatas));
  if (credentials.affected_rows() != sorted.size()) throw LostRace{};
}

IdentityRecord NewRecord(const Enrollment& item, const BatchNumbers& numbers) {
  return {.identity_id = item.identity_id,
          .subject = item.subject,
          .fingerprint = item.fingerprint,
          .rdata = item.rdata,
          .enrolled_at = numbers.now,
          .revoked_at = std::nullopt,
          .change = static_cast<std::uint64_t>(numbers.of_namespace.at(item.home->namespace_id)),
          .version = std::nullopt};
}

using Outcomes = std::vector<Result<Enrolled>>;

Result<Outcomes> EnrollIn(Transaction& transaction, const std::vector<Enrollment>& items) {
  Known known = ReadKnown(transaction, items);
  std::vector<std::optional<Result<Enrolled>>> decided;
  std::vector<const Enrollment*> chosen;
  std::set<std::int32_t> namespaces;
  ChangedIdentities changed;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Enrollment& item = items[i];
    decided.push_back(Decide(item, known, items));
    if (decided.back() || !known.new_identities.emplace(item.identity_id, i).second) continue;
    known.keys[{item.home->namespace_id, item.fingerprint}] = {item.identity_id, item.subject, false};
    chosen.push_back(&item);
    namespaces.insert(item.home->namespace_id);
    changed.Add(item.home->namespace_id, item.actor, item.identity_id);
  }
  BatchNumbers numbers;
  if (!chosen.empty()) {
    numbers = TakeBatchNumbers(transaction, namespaces);
    Insert(transaction, chosen, numbers);
    WriteChanges(transaction, DirtyKind::kEnrollment, numbers, changed);
  }
  Outcomes outcomes;
  outcomes.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (decided[i])
      outcomes.push_back(std::move(*decided[i]));
    else
      outcomes.push_back(Enrolled{NewRecord(items[i], numbers), known.new_identities.at(items[i].identity_id) != i});
  }
  return outcomes;
}

}  // namespace

std::vector<Result<Enrolled>> EnrollBatch(Database& database, const std::vector<Enrollment>& items) {
  IDZONE_INVARIANT(items.size() <= limits::kEnrollBatchMax, "a batch has at most kEnrollBatchMax items");
  auto outcomes = database.Transact("enroll", [&](Transaction& transaction) { return EnrollIn(transaction, items); });
  if (outcomes) return std::move(*outcomes);
  return {items.size(), Result<Enrolled>(tl::unexpected(outcomes.error()))};
}

}  // namespace idzone::store
