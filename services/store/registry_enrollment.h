// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "services/store/registry_record.h"

/// Enrollment and revocation, each a batch in one transaction. What a function returns without an error is durable.
///
/// Right with any number of callers on one database: a batch first reads what exists, then inserts what is new; when another
/// transaction was faster anywhere, unique keys refuse a row, and the batch is rolled back and decided again, so that no
/// identity is ever left without its credential. Rows are inserted in the order of their keys, identities
/// before credentials, so that two batches cannot wait for each other.
namespace idzone::store {

class Database;

/// An identity to be, or a key to be: validated, its record made.
struct Enrollment {
  std::shared_ptr<const NamespaceRecord> home;
  Octets identity_id;
  std::string subject;
  std::optional<std::string> label{};  // the private label
  Octets fingerprint;
  dns::RrType type = dns::RrType::kTlsa;
  Octets rdata;
  Actor actor;
  /// The owner name's first label lies right below the apex and could be the NSEC3 label of another name: the hash that it
  /// spells. Empty otherwise.
  Octets denial_hash{};
};

struct Enrolled {
  IdentityRecord identity;
  bool already = false;  // it was so before
};

/// What the next batch is expected to be, by the one before it. While all are new, as in an import, a batch inserts without looking
/// whether they exist; unique keys refuse those that do, and then the batch is decided again by what exists. Threads: any.
struct EnrollmentOutlook {
  std::atomic<bool> all_new = false;
};

/// Returns one outcome for each item, in order; without an outlook it looks first.
/// KEY_CONFLICT (another key, both fingerprints), IDENTITY_REVOKED, KEY_ALREADY_BOUND, KEY_REVOKED (of a revoked identity, or
/// retired), LABEL_CONFLICT, ID_IS_DENIAL_LABEL, NAMESPACE_NOT_READY (below a cut that is not open). An error of the database is every
/// item's: UNAVAILABLE means unknown.
std::vector<Result<Enrolled>> EnrollBatch(Database& database, const std::vector<Enrollment>& items, EnrollmentOutlook& outlook);
std::vector<Result<Enrolled>> EnrollBatch(Database& database, const std::vector<Enrollment>& items);

/// Adds a key to an active identity. NOT_FOUND, IDENTITY_REVOKED, KEY_ALREADY_BOUND, KEY_REVOKED; LIMIT_EXCEEDED beyond
/// limits::kRdatasPerRrSetMax active keys of one type.
Result<Enrolled> AddKey(Database& database, const Enrollment& item);

/// Takes a key from an active identity, for ever. NOT_FOUND (the identity or the key), IDENTITY_REVOKED, LAST_KEY.
struct Retirement {
  std::shared_ptr<const NamespaceRecord> home;
  Octets identity_id;
  std::string subject;
  Octets fingerprint;
  std::string reason;
  Actor actor;
};
Result<Enrolled> RetireKey(Database& database, const Retirement& item);

/// Begins the next life of a revoked identity, with a key that nobody ever had, at the name and label that it had. The keys of the life
/// that ended stay retired for ever, and so does its revocation. The item's label and denial hash are not looked at.
/// NOT_FOUND; IDENTITY_NOT_REVOKED; KEY_ALREADY_BOUND, KEY_REVOKED; NAME_IN_QUARANTINE, with the time when it ends.
Result<Enrolled> ReEnroll(Database& database, const Enrollment& item);

struct Revocation {
  std::shared_ptr<const NamespaceRecord> home;
  Octets identity_id;
  std::string subject;
  std::string reason;
  Actor actor;
};

struct Revoked {
  IdentityRecord identity;
  bool already = false;
};

/// The same for revocations. NOT_FOUND.
std::vector<Result<Revoked>> RevokeBatch(Database& database, const std::vector<Revocation>& items);

}  // namespace idzone::store
