// SPDX-License-Identifier: MIT
// A revoked identity's next life.
#include <algorithm>

#include "services/store/database.h"
#include "services/store/failure.h"
#include "services/store/registry_batch.h"
#include "services/store/registry_enrollment.h"
#include "services/store/registry_event.h"

namespace idzone::store {
namespace {

using Transaction = pqxx::transaction_base;

constexpr Statement kBeginLife{"reenroll_begin_life",
                               "insert into registry.reenrollment (identity_id, ended_life, namespace_id, batch_id)"
                               " values ($1::uuid, $2::smallint, $3::integer, $4::bigint) on conflict do nothing"};
// What the ended life's keys were is over; those that left it before have their retirement already.
constexpr Statement kRetireKeys{"reenroll_retire_keys",
                                "insert into registry.retirement (namespace_id, fingerprint, identity_id, batch_id, reason)"
                                " select c.namespace_id, c.fingerprint, c.identity_id, $2::bigint, 'revoked with its identity'"
                                " from registry.credential c where c.identity_id = $1::uuid on conflict do nothing"};
constexpr Statement kInsertKey{
    "reenroll_insert_key",
    "insert into registry.credential (namespace_id, fingerprint, identity_id, rr_type, rdata, batch_id, added_at)"
    " values ($1::integer, $2::bytea, $3::uuid, $4::smallint, $5::bytea, $6::bigint, now())"
    " on conflict do nothing"};
constexpr Statement kNow{"reenroll_now", "select extract(epoch from now())::bigint"};

Result<void> CheckQuarantine(Transaction& transaction, const IdentityRecord& identity) {
  if (!identity.quarantine_end)
    return Fail(Reason::kNameInQuarantine, "id", "a name whose revocation is published",
                identity.subject + ", whose revocation waits for the signer");
  const UnixTime now = TimeOf(Execute(transaction, kNow)[0][0]);
  if (now < *identity.quarantine_end)
    return Fail(Reason::kNameInQuarantine, "id", "a time from " + FormatTime(*identity.quarantine_end) + " on",
                FormatTime(now) + ", when the old record of " + identity.subject + ", revoked at " + FormatTime(*identity.revoked_at) +
                    ", may still be believed somewhere");
  return {};
}

/// What holds when the identity lives: the same key again is the same answer, but only in a life that was begun again.
Result<Enrolled> DecideLiving(const Enrollment& item, IdentityRecord identity) {
  const KeyRecord* key = identity.FindKey(item.fingerprint);
  if (identity.life > 1 && key != nullptr && !key->retired_at) return Enrolled{std::move(identity), true};
  return Fail(Reason::kIdentityNotRevoked, "id", "a revoked identity", item.subject + ", which is active");
}

Result<Enrolled> ReEnrollIn(Transaction& transaction, const Enrollment& item) {
  LockKeys(transaction, item.identity_id);
  auto found = ReadIdentities(transaction, {item.identity_id});
  if (found.empty()) return Fail(Reason::kNotFound, "id", "a revoked identity", item.subject);
  IdentityRecord& identity = found.begin()->second;
  if (!identity.revoked_at) return DecideLiving(item, std::move(identity));
  const std::int32_t namespace_id = item.home->namespace_id;
  if (auto free = CheckKeyFree(transaction, namespace_id, item.fingerprint, item.subject); !free) return tl::unexpected(free.error());
  if (auto over = CheckQuarantine(transaction, identity); !over) return tl::unexpected(over.error());

  const auto [batch_id, now] = TakeBatchNumber(transaction);
  if (Execute(transaction, kBeginLife, Uuid(item.identity_id), identity.life, namespace_id, batch_id).affected_rows() != 1)
    throw LostRace{};
  Execute(transaction, kRetireKeys, Uuid(item.identity_id), batch_id);
  const auto inserted = Execute(transaction, kInsertKey, namespace_id, Bytea(item.fingerprint), Uuid(item.identity_id),
                                static_cast<int>(item.type), Bytea(item.rdata), batch_id);
  if (inserted.affected_rows() != 1) throw LostRace{};
  WriteDirty(transaction, DirtyKind::kEnrollment, batch_id, namespace_id, {item.identity_id});
  WriteEvent(transaction, item.actor,
             {.kind = "identity.re_enrolled",
              .namespace_id = namespace_id,
              .identity_ids = {item.identity_id},
              .detail = JsonObject({{"life", std::to_string(identity.life + 1)},
                                    {"fingerprint", HexEncode(item.fingerprint)},
                                    {"revoked", FormatTime(*identity.revoked_at)}})});

  for (KeyRecord& key : identity.keys) key.retired_at = key.retired_at.value_or(now);
  identity.keys.push_back(
      {.fingerprint = item.fingerprint, .type = item.type, .rdata = item.rdata, .added_at = now, .retired_at = std::nullopt});
  identity.life += 1;
  identity.revoked_at.reset();
  identity.quarantine_end.reset();
  identity.change = static_cast<std::uint64_t>(batch_id);
  identity.version.reset();
  return Enrolled{std::move(identity), false};
}

}  // namespace

Result<Enrolled> ReEnroll(Database& database, const Enrollment& item) {
  return database.Transact("re-enroll", [&](Transaction& transaction) { return ReEnrollIn(transaction, item); });
}

}  // namespace idzone::store
