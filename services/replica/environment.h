// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "services/core/base/octets.h"

struct MDB_env;
struct MDB_txn;
struct MDB_cursor;

/// LMDB behind RAII, and the only files that know it (environment.cc, transaction.cc).
///
/// Strategy: every failure is a Result; a transaction that is not committed is aborted. Opened without thread-local
/// readers, so that a read transaction may be reset by another thread than the one that uses it.
/// Traps that this class takes care of: a second open of one file in a process would drop the first one's locks (the
/// second Open fails); readers that died pin their snapshot (cleared at open); a reader would have to remap when the
/// writer grows the map (it reserves a large range of addresses instead, which costs nothing).
/// Limits: readers need write access to the lock file, and process ids must be unique among all users of the file.
namespace idzone::replica {

/// Which file, whatever its path: device and inode.
using FileIdentity = std::pair<std::uint64_t, std::uint64_t>;

enum class Tree : unsigned { kMeta, kZone, kZoneNumber, kPin, kGeneration, kNode, kChange };

class Environment {
 public:
  /// Opens for writing; makes directory, files and trees as needed.
  static Result<std::shared_ptr<Environment>> OpenForWriting(const std::string& directory, std::size_t map_octets);
  /// Opens for reading. NOT_FOUND when there is no replica yet (no file, or one without a finished format).
  static Result<std::shared_ptr<Environment>> OpenForReading(const std::string& directory);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  const std::string& directory() const { return directory_; }
  /// Says whether the directory now holds another file than the one that is open.
  bool WasReplaced() const;
  /// Returns the number of the newest commit, without taking a snapshot: one load from the map.
  std::uint64_t LastCommit() const;
  /// Returns the descriptor of the data file, which stays open as long as this, wherever the file is moved.
  int Descriptor() const;
  /// Returns how far into the file pages were ever used, and how far it may grow.
  std::uint64_t UsedOctets() const;
  std::uint64_t MapOctets() const;
  /// Says whether the file has that tree: one of the version before this one lacks the newest.
  bool Has(Tree tree) const { return trees_[static_cast<unsigned>(tree)] != kNoTree; }
  /// Says whether the file that is open is the one in that directory.
  bool IsAt(const std::string& directory) const;
  /// Says whether a write transaction has met the file shorter than the one before had left it: its commit makes it long again, with
  /// holes where there were pages. Threads: any.
  bool HasShrunk() const { return shrunk_; }
  /// Removes the slots of readers whose process is gone; returns how many.
  Result<int> ClearStaleReaders();

 private:
  friend class ReadTransaction;
  friend class WriteTransaction;
  friend class Cursor;
  Environment(std::string directory, MDB_env* env) : directory_(std::move(directory)), env_(env) {}
  /// Makes the file longer than LMDB needs it, page by page. LMDB would write many new pages at once, and since Linux 6.16 the kernel
  /// caches such a write as one large folio, whose every later page written costs as much as the folio has pages: at a million names
  /// that was a quarter of what a version cost here.
  void GrowAhead();
  /// Looks at the file's length before a write transaction, and after it.
  void NoteLength();
  static Result<std::shared_ptr<Environment>> Open(const std::string& directory, std::size_t map_octets, unsigned flags);
  Result<void> OpenTrees(bool create);

  std::string directory_;
  MDB_env* env_;
  FileIdentity identity_;
  FileIdentity lock_identity_;
  std::uint64_t octets_ = 0;  // the file's greatest length; the writer's
  std::atomic<bool> shrunk_ = false;
  static constexpr unsigned kNoTree = ~0u;
  unsigned trees_[7] = {};
};

/// A view of one moment. Octets that it returns lie in the map and are valid until Release, Renew or destruction, with
/// one exception: when id() is the same after Renew, nothing was committed in between and they are still valid.
class ReadTransaction {
 public:
  /// Holds no snapshot yet.
  explicit ReadTransaction(std::shared_ptr<Environment> environment) : environment_(std::move(environment)) {}
  ~ReadTransaction();
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

  /// Takes the newest snapshot, letting go of the one that is held.
  Result<void> Renew();
  void Release();
  bool held() const { return held_; }
  /// Returns the number of the commit that is seen. Requires: held.
  std::uint64_t id() const;

  Result<std::optional<OctetsView>> Get(Tree tree, OctetsView key) const;
  bool Has(Tree tree) const { return environment_->Has(tree); }
  /// Checks the list of free pages: each a page of the file that is not LMDB's own, in LMDB's order. ENCODING_MALFORMED.
  Result<void> CheckFreePages() const;

 private:
  friend class Cursor;
  std::shared_ptr<Environment> environment_;
  MDB_txn* txn_ = nullptr;
  bool held_ = false;
};

/// The one writing transaction that a process may have; aborted unless Commit succeeds.
class WriteTransaction {
 public:
  static Result<WriteTransaction> Begin(const std::shared_ptr<Environment>& environment);
  WriteTransaction(WriteTransaction&& other) noexcept;
  WriteTransaction& operator=(WriteTransaction&&) = delete;
  ~WriteTransaction();

  Result<std::optional<OctetsView>> Get(Tree tree, OctetsView key) const;
  Result<void> Put(Tree tree, OctetsView key, OctetsView value);
  /// Returns whether the key was there.
  Result<bool> Remove(Tree tree, OctetsView key);
  Result<void> Commit();

 private:
  friend class Cursor;
  WriteTransaction(std::shared_ptr<Environment> environment, MDB_txn* txn) : environment_(std::move(environment)), txn_(txn) {}
  std::shared_ptr<Environment> environment_;
  MDB_txn* txn_;
};

/// A place in a tree. Requires: does not outlive its transaction's snapshot.
class Cursor {
 public:
  struct Entry {
    OctetsView key;
    OctetsView value;
  };

  static Result<Cursor> Open(const ReadTransaction& transaction, Tree tree);
  static Result<Cursor> Open(const WriteTransaction& transaction, Tree tree);
  Cursor(Cursor&& other) noexcept : cursor_(std::exchange(other.cursor_, nullptr)) {}
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor();

  /// Moves the cursor to the snapshot that its transaction holds now, which costs less than to open one anew.
  Result<void> Renew(const ReadTransaction& transaction);

  /// Each moves and returns the entry there, or nothing at the end.
  Result<std::optional<Entry>> First();
  Result<std::optional<Entry>> Last();
  Result<std::optional<Entry>> Next();
  Result<std::optional<Entry>> Previous();
  /// The first entry whose key is not less than `key`.
  Result<std::optional<Entry>> Seek(OctetsView key);

 private:
  explicit Cursor(MDB_cursor* cursor) : cursor_(cursor) {}
  Result<std::optional<Entry>> Move(int operation, OctetsView key);
  MDB_cursor* cursor_;
};

}  // namespace idzone::replica
