// SPDX-License-Identifier: MIT
// Keys that come to an identity later, and leave it earlier.
#include <algorithm>

#include "services/core/base/limits.h"
#include "services/store/database.h"
#include "services/store/failure.h"
#include "services/store/registry_batch.h"
#include "services/store/registry_enrollment.h"
#include "services/store/registry_event.h"

namespace idzone::store {
namespace {

using Transaction = pqxx::transaction_base;

constexpr Statement kInsertKey{
    "key_insert",
    "insert into registry.credential (namespace_id, fingerprint, identity_id, rr_type, rdata, batch_id, added_at)"
    " values ($1::integer, $2::bytea, $3::uuid, $4::smallint, $5::bytea, $6::bigint, now())"
    " on conflict do nothing"};
constexpr Statement kInsertRetirement{"key_retire",
                                      "insert into registry.retirement (namespace_id, fingerprint, identity_id, batch_id, reason)"
                                      " values ($1::integer, $2::bytea, $3::uuid, $4::bigint, $5::text)"};

/// Returns an identity that is not revoked, its keys locked.
Result<IdentityRecord> LockActive(Transaction& transaction, OctetsView identity_id, const std::string& subject) {
  LockKeys(transaction, identity_id);
  auto found = ReadIdentities(transaction, {identity_id});
  if (found.empty()) return Fail(Reason::kNotFound, "id", "an enrolled identity", subject);
  IdentityRecord& identity = found.begin()->second;
  if (identity.revoked_at) return tl::unexpected(RevokedError(identity));
  return std::move(identity);
}

std::size_t CountActive(const IdentityRecord& identity, std::optional<dns::RrType> type = std::nullopt) {
  return static_cast<std::size_t>(std::count_if(identity.keys.begin(), identity.keys.end(),
                                                [&](const KeyRecord& key) { return !key.retired_at && (!type || key.type == *type); }));
}

/// Takes a batch number and writes the dirty batch and the event of one identity.
BatchNumber WriteChange(Transaction& transaction, DirtyKind kind, const char* event, std::int32_t namespace_id, OctetsView identity_id,
                        const Actor& actor) {
  ChangedIdentities changed;
  changed.Add(namespace_id, actor, identity_id);
  const BatchNumbers numbers = TakeBatchNumbers(transaction, changed);
  WriteChanges(transaction, kind, event, numbers, changed);
  return {numbers.of_identity.at(identity_id), numbers.now};
}

Enrolled After(IdentityRecord identity, const BatchNumber& batch) {
  identity.change = static_cast<std::uint64_t>(batch.id);
  identity.version.reset();
  return {std::move(identity), false};
}

Result<Enrolled> AddIn(Transaction& transaction, const Enrollment& item) {
  auto identity = LockActive(transaction, item.identity_id, item.subject);
  if (!identity) return tl::unexpected(identity.error());
  const std::string shown = "SHA-256 " + HexEncode(item.fingerprint);
  if (const KeyRecord* key = identity->FindKey(item.fingerprint); key != nullptr) {
    if (key->retired_at) return Fail(Reason::kKeyRevoked, "material", "a key that was never retired", "a retired one, " + shown);
    return Enrolled{std::move(*identity), true};
  }
  const std::int32_t namespace_id = item.home->namespace_id;
  if (auto free = CheckKeyFree(transaction, namespace_id, item.fingerprint, item.subject); !free) return tl::unexpected(free.error());
  if (CountActive(*identity, item.type) >= limits::kRdatasPerRrSetMax)
    return Fail(Reason::kLimitExceeded, "id", "at most " + std::to_string(limits::kRdatasPerRrSetMax) + " active keys of " + item.subject,
                "one more: retire one first");
  const BatchNumber batch =
      WriteChange(transaction, DirtyKind::kEnrollment, "identity.key_added", namespace_id, item.identity_id, item.actor);
  const auto inserted = Execute(transaction, kInsertKey, namespace_id, Bytea(item.fingerprint), Uuid(item.identity_id),
                                static_cast<int>(item.type), Bytea(item.rdata), batch.id);
  if (inserted.affected_rows() != 1) throw LostRace{};
  identity->keys.push_back(
      {.fingerprint = item.fingerprint, .type = item.type, .rdata = item.rdata, .added_at = batch.now, .retired_at = std::nullopt});
  return After(std::move(*identity), batch);
}

Result<Enrolled> RetireIn(Transaction& transaction, const Retirement& item) {
  auto identity = LockActive(transaction, item.identity_id, item.subject);
  if (!identity) return tl::unexpected(identity.error());
  const auto key = std::find_if(identity->keys.begin(), identity->keys.end(),
                                [&](const KeyRecord& candidate) { return candidate.fingerprint == item.fingerprint; });
  if (key == identity->keys.end())
    return Fail(Reason::kNotFound, "fingerprint", "a key of " + item.subject, "SHA-256 " + HexEncode(item.fingerprint));
  if (key->retired_at) return Enrolled{std::move(*identity), true};
  if (CountActive(*identity) == 1)
    return Fail(Reason::kLastKey, "fingerprint", "one key to stay with " + item.subject, "its last one: revoke the identity instead");
  const std::int32_t namespace_id = item.home->namespace_id;
  const BatchNumber batch =
      WriteChange(transaction, DirtyKind::kRevocation, "identity.key_retired", namespace_id, item.identity_id, item.actor);
  Execute(transaction, kInsertRetirement, namespace_id, Bytea(item.fingerprint), Uuid(item.identity_id), batch.id, item.reason);
  key->retired_at = batch.now;
  return After(std::move(*identity), batch);
}

}  // namespace

Result<Enrolled> AddKey(Database& database, const Enrollment& item) {
  return database.Transact("add key", [&](Transaction& transaction) { return AddIn(transaction, item); });
}

Result<Enrolled> RetireKey(Database& database, const Retirement& item) {
  return database.Transact("retire key", [&](Transaction& transaction) { return RetireIn(transaction, item); });
}

}  // namespace idzone::store
