// SPDX-License-Identifier: MIT
#include "services/replica/environment.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <set>
#include <system_error>

#include <lmdb.h>

#include "services/replica/format.h"

namespace idzone::replica {
namespace {

/// Address space for readers: the writer may grow the map up to this without readers having to map again.
constexpr std::size_t kReaderMapOctets = std::size_t{256} << 30;
/// Threads of a name server, several name servers and tools; LMDB needs 64 octets for each.
constexpr unsigned kReadersMax = 1022;
/// All of these slots, and what LMDB keeps before them. It makes slots of whatever is left.
constexpr off_t kLockFileOctets = off_t{68} * 1024;
constexpr std::uint64_t kPageOctets = 4096;
constexpr off_t kLeastOctets = off_t{2} * kPageOctets;
/// How far the file is grown ahead of what LMDB uses of it: a share of that, within bounds.
constexpr std::uint64_t kAheadShare = 16;
constexpr std::uint64_t kAheadLeast = 16 * kPageOctets;
constexpr std::uint64_t kAheadMost = 1024 * kPageOctets;
/// Owner and group: the group is the name server's, which must write the lock file.
constexpr mode_t kFileMode = 0660;

constexpr const char* kTreeNames[] = {kMetaTree, kZoneTree, kZoneNumberTree, kPinTree, kGenerationTree, kNodeTree, kChangeTree};
static_assert(std::size(kTreeNames) == kTreeCount);

/// The files that this process has open. POSIX locks belong to process and file: closing a second descriptor of the
/// lock file would drop the locks of the first, and other processes would take this one's readers for dead.
struct OpenFiles {
  std::mutex mutex;
  std::set<FileIdentity> files;
};
OpenFiles& TheOpenFiles() {
  static OpenFiles open_files;
  return open_files;
}

std::string DataFile(const std::string& directory) {
  return directory + "/data.mdb";
}

std::string LockFile(const std::string& directory) {
  return directory + "/lock.mdb";
}

std::optional<FileIdentity> IdentityOf(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileIdentity(status.st_dev, status.st_ino);
}

Reason ReasonOf(int code) {
  switch (code) {
    case ENOENT: return Reason::kNotFound;
    // What only a damaged file brings about. The version is LMDB's own, which has not changed since 2012.
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INCOMPATIBLE:
    case MDB_BAD_TXN: return Reason::kEncodingMalformed;
    default: return Reason::kUnavailable;
  }
}

tl::unexpected<Error> OpenFailed(const std::string& directory, int code) {
  return Fail(ReasonOf(code), "replica " + directory, "a directory with data.mdb and lock.mdb, the lock file writable", mdb_strerror(code));
}

/// Gives the lock file its blocks. LMDB only maps it: on a full disk a reader that takes a slot in a hole would die of SIGBUS.
/// Requires: this process does not have it open.
Result<void> ReserveLockFile(const std::string& directory) {
  const int file = open(LockFile(directory).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
  if (file < 0) return OpenFailed(directory, errno);
  const int code = posix_fallocate(file, 0, kLockFileOctets);
  close(file);
  if (code != 0) return OpenFailed(directory, code);
  return {};
}

/// Closes what Open could not finish.
struct CloseEnv {
  void operator()(MDB_env* env) const { mdb_env_close(env); }
};
using EnvPointer = std::unique_ptr<MDB_env, CloseEnv>;

MDB_envinfo InfoOf(MDB_env* env) {
  MDB_envinfo info = {};
  IDZONE_INVARIANT(mdb_env_info(env, &info) == 0, "an open environment tells about itself");
  return info;
}

/// Returns the version if it is one that this program reads.
Result<std::uint32_t> CheckFormat(const std::string& directory, OctetsView value) {
  const auto found = DecodeNumber(value, "format");
  if (found && *found != kFormatVersion && *found != kFormatVersion - 1)
    return Fail(Reason::kSchemaMismatch, "replica " + directory,
                "format version " + std::to_string(kFormatVersion) + " or the one before it", std::to_string(*found));
  return found;
}

}  // namespace

Environment::~Environment() {
  OpenFiles& open_files = TheOpenFiles();
  const std::lock_guard lock(open_files.mutex);
  mdb_env_close(env_);
  open_files.files.erase(identity_);
  open_files.files.erase(lock_identity_);
}

Result<std::shared_ptr<Environment>> Environment::Open(const std::string& directory, std::size_t map_octets, unsigned flags) {
  OpenFiles& open_files = TheOpenFiles();
  const std::lock_guard lock(open_files.mutex);
  for (const std::string& file : {DataFile(directory), LockFile(directory)}) {
    if (const auto identity = IdentityOf(file); identity && open_files.files.contains(*identity))
      return Fail(Reason::kAlreadyExists, "replica " + directory, "one open of a replica in a process", "a second one");
  }
  // LMDB has two pages before anything else. Of fewer, it says things that are not the file's fault.
  if (struct stat status = {};
      (flags & MDB_RDONLY) != 0 && stat(DataFile(directory).c_str(), &status) == 0 && status.st_size < kLeastOctets)
    return Fail(Reason::kEncodingMalformed, "replica " + directory, "a file of two pages at least",
                std::to_string(status.st_size) + " octets");
  if ((flags & MDB_RDONLY) == 0) {
    if (auto reserved = ReserveLockFile(directory); !reserved) return tl::unexpected(reserved.error());
  }
  MDB_env* raw = nullptr;
  if (const int code = mdb_env_create(&raw); code != 0) return OpenFailed(directory, code);
  EnvPointer env(raw);
  int code = mdb_env_set_maxdbs(raw, kTreeCount);
  if (code == 0) code = mdb_env_set_maxreaders(raw, kReadersMax);
  if (code == 0) code = mdb_env_set_mapsize(raw, map_octets);
  if (code == 0) code = mdb_env_open(raw, directory.c_str(), flags | MDB_NOTLS, kFileMode);
  const auto identity = IdentityOf(DataFile(directory));
  const auto lock_identity = IdentityOf(LockFile(directory));
  if (code == 0 && !(identity && lock_identity)) code = ENOENT;
  if (code != 0) return OpenFailed(directory, code);
  std::shared_ptr<Environment> environment(new Environment(directory, env.release()));
  // What is read goes into the kernel's cache page by page (see GrowAhead). It is advice: a kernel may not take it.
  static_cast<void>(posix_fadvise(environment->Descriptor(), 0, 0, POSIX_FADV_RANDOM));
  environment->identity_ = *identity;
  environment->lock_identity_ = *lock_identity;
  open_files.files.insert({*identity, *lock_identity});
  return environment;
}

Result<std::shared_ptr<Environment>> Environment::OpenForWriting(const std::string& directory, std::size_t map_octets) {
  std::error_code failure;
  std::filesystem::create_directories(directory, failure);
  if (failure) return Fail(Reason::kUnavailable, "replica " + directory, "a directory that can be made", failure.message());
  auto environment = Open(directory, map_octets, 0);
  if (!environment) return environment;
  if (auto cleared = (*environment)->ClearStaleReaders(); !cleared) return tl::unexpected(cleared.error());
  if (auto opened = (*environment)->OpenTrees(true); !opened) return tl::unexpected(opened.error());
  return environment;
}

Result<std::shared_ptr<Environment>> Environment::OpenForReading(const std::string& directory) {
  auto environment = Open(directory, kReaderMapOctets, MDB_RDONLY);
  if (!environment) return environment;
  if (auto opened = (*environment)->OpenTrees(false); !opened) return tl::unexpected(opened.error());
  return environment;
}

/// Opens the trees, and checks the format version, which the writer sets or raises. A file without it is one that a writer has just
/// begun.
Result<void> Environment::OpenTrees(bool create) {
  MDB_txn* raw = nullptr;
  if (const int code = mdb_txn_begin(env_, nullptr, create ? 0 : MDB_RDONLY, &raw); code != 0) return OpenFailed(directory_, code);
  std::unique_ptr<MDB_txn, void (*)(MDB_txn*)> txn(raw, mdb_txn_abort);
  for (unsigned tree = 0; tree < kTreeCount; ++tree) {
    const int code = mdb_dbi_open(raw, kTreeNames[tree], create ? MDB_CREATE : 0, &trees_[tree]);
    // Version 2 had no list of changes.
    if (code == MDB_NOTFOUND && tree == static_cast<unsigned>(Tree::kChange)) {
      trees_[tree] = kNoTree;
      continue;
    }
    if (code == MDB_NOTFOUND) return OpenFailed(directory_, ENOENT);
    if (code != 0) return OpenFailed(directory_, code);
  }
  const unsigned meta = trees_[static_cast<unsigned>(Tree::kMeta)];
  MDB_val key{6, const_cast<char*>("format")};
  MDB_val value{};
  int code = mdb_get(raw, meta, &key, &value);
  std::uint32_t version = 0;  // none yet
  if (code == 0) {
    const auto found = CheckFormat(directory_, OctetsView(static_cast<const char*>(value.mv_data), value.mv_size));
    if (!found) return tl::unexpected(found.error());
    version = *found;
  } else if (code != MDB_NOTFOUND || !create) {
    return OpenFailed(directory_, code == MDB_NOTFOUND ? ENOENT : code);
  }
  if (create && version != kFormatVersion) {
    Octets number = EncodeNumber(kFormatVersion);
    value = MDB_val{number.size(), number.data()};
    code = mdb_put(raw, meta, &key, &value, 0);
    if (code != 0) return OpenFailed(directory_, code);
  }
  // Handles of trees outlive the transaction that opened them only when it is committed, also when it only read.
  if (code = mdb_txn_commit(txn.release()); code != 0) return OpenFailed(directory_, code);
  return {};
}

bool Environment::WasReplaced() const {
  // A file that is gone has no successor yet: what is open goes on serving.
  const auto identity = IdentityOf(DataFile(directory_));
  return identity && *identity != identity_;
}

std::uint64_t Environment::LastCommit() const {
  return InfoOf(env_).me_last_txnid;
}

int Environment::Descriptor() const {
  mdb_filehandle_t descriptor = -1;
  IDZONE_INVARIANT(mdb_env_get_fd(env_, &descriptor) == 0, "an open environment has a descriptor");
  return descriptor;
}

void Environment::GrowAhead() {
  const std::uint64_t used = UsedOctets();
  const std::uint64_t wanted = std::min<std::uint64_t>(MapOctets(), used + std::clamp(used / kAheadShare, kAheadLeast, kAheadMost));
  const std::string page(kPageOctets, '\0');
  // A disk without room is LMDB's to complain about, when it needs some.
  for (auto at = std::max(used, octets_); at < wanted; at += kPageOctets) {
    if (pwrite(Descriptor(), page.data(), page.size(), static_cast<off_t>(at)) != static_cast<ssize_t>(page.size())) return;
    octets_ = at + kPageOctets;
  }
}

void Environment::NoteLength() {
  struct stat status = {};
  if (fstat(Descriptor(), &status) != 0) return;
  const auto octets = static_cast<std::uint64_t>(status.st_size);
  if (octets < octets_) shrunk_ = true;
  octets_ = std::max(octets_, octets);
}

std::uint64_t Environment::UsedOctets() const {
  MDB_stat status = {};
  IDZONE_INVARIANT(mdb_env_stat(env_, &status) == 0, "an open environment tells about itself");
  return (InfoOf(env_).me_last_pgno + 1) * status.ms_psize;
}

std::uint64_t Environment::MapOctets() const {
  return InfoOf(env_).me_mapsize;
}

bool Environment::IsAt(const std::string& directory) const {
  return IdentityOf(DataFile(directory)) == identity_;
}

Result<int> Environment::ClearStaleReaders() {
  int cleared = 0;
  if (const int code = mdb_reader_check(env_, &cleared); code != 0) return OpenFailed(directory_, code);
  return cleared;
}

}  // namespace idzone::replica
