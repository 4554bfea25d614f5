// SPDX-License-Identifier: MIT
#include "services/store/registry_batch.h"

#include <algorithm>

#include "services/store/registry_event.h"

namespace idzone::store {
namespace {

/// Identities of one dirty batch. A transaction of the signer takes a whole one at least, also while revocations wait: in trees each of
/// these names may cost a version of a zone.
constexpr std::size_t kDirtyBatchMax = 64;

constexpr Statement kTakeNumbers{
    "batch_take_numbers", "select nextval('registry.batch_id'), extract(epoch from now())::bigint from generate_series(1, $1::integer)"};
constexpr Statement kReadIdentities{
    "batch_read_identities", "select " IDZONE_IDENTITY_COLUMNS
                             " from unnest($1::uuid[]) u(id) join registry.identity i on i.identity_id = u.id" IDZONE_IDENTITY_JOINS};
constexpr Statement kReadKeys{"batch_read_keys",
                              "select c.identity_id, c.fingerprint, c.rr_type, c.rdata, extract(epoch from c.added_at)::bigint,"
                              " extract(epoch from t.retired_at)::bigint from unnest($1::uuid[]) u(id)"
                              " cross join lateral (select d.* from registry.credential d where d.identity_id = u.id offset 0) c"
                              " left join registry.retirement t on t.namespace_id = c.namespace_id and t.fingerprint = c.fingerprint"
                              " order by c.identity_id, coalesce(c.batch_id, 0), c.fingerprint"};

// The signer is told when its queue was empty (the statement does not see its own insert). While there is work it looks by itself,
// and transactions that notify would wait for each other at their commit.
#define IDZONE_NOTIFY_SIGNER \
  " select pg_notify('idzone_dirty', '') where not exists (select 1 from registry.dirty_batch d where d.namespace_id = $2::integer)"

constexpr Statement kInsertAuthorityDirty{
    "batch_insert_authority_dirty",
    "with queued as (insert into registry.dirty_batch (batch_id, namespace_id, kind, identity_ids, about_authority)"
    " values ($1::bigint, $2::integer, 1, array[$3::uuid], true))" IDZONE_NOTIFY_SIGNER};
constexpr Statement kInsertDirty{"batch_insert_dirty",
                                 "with queued as (insert into registry.dirty_batch (batch_id, namespace_id, kind, identity_ids)"
                                 " values ($1::bigint, $2::integer, $3::smallint, $4::uuid[]))" IDZONE_NOTIFY_SIGNER};

#undef IDZONE_NOTIFY_SIGNER

constexpr Statement kLockKeys{"key_lock", "select pg_advisory_xact_lock(hashtextextended($1::uuid::text, 7))"};
constexpr Statement kFindHolder{"key_find_holder",
                                "select i.subject, r.identity_id is not null or t.fingerprint is not null from registry.credential c"
                                " join registry.identity i on i.identity_id = c.identity_id"
                                " left join lateral (" IDZONE_REVOCATION_OF("c") ") r on true"
                                " left join registry.retirement t on t.namespace_id = c.namespace_id and t.fingerprint = c.fingerprint"
                                " where c.namespace_id = $1::integer and c.fingerprint = $2::bytea"};

}  // namespace

BatchNumber TakeBatchNumber(pqxx::transaction_base& transaction) {
  const pqxx::result rows = Execute(transaction, kTakeNumbers, 1);
  return {rows[0][0].as<std::int64_t>(), TimeOf(rows[0][1])};
}

BatchNumbers TakeBatchNumbers(pqxx::transaction_base& transaction, const ChangedIdentities& changed) {
  BatchNumbers numbers;
  for (const auto& [namespace_id, identity_ids] : changed.by_namespace) {
    for (std::size_t first = 0; first < identity_ids.size(); first += kDirtyBatchMax) {
      const auto begin = identity_ids.begin() + static_cast<std::ptrdiff_t>(first);
      const auto count = static_cast<std::ptrdiff_t>(std::min(kDirtyBatchMax, identity_ids.size() - first));
      numbers.batches.push_back({.id = 0, .namespace_id = namespace_id, .identity_ids = {begin, begin + count}});
    }
  }
  const pqxx::result rows = Execute(transaction, kTakeNumbers, numbers.batches.size());
  auto row = rows.begin();
  for (DirtyBatch& batch : numbers.batches) {
    batch.id = row[0].as<std::int64_t>();
    for (const OctetsView identity_id : batch.identity_ids) numbers.of_identity.emplace(identity_id, batch.id);
    numbers.now = TimeOf(row[1]);
    ++row;
  }
  return numbers;
}

IdentityRecord ReadIdentity(const pqxx::row& row) {
  IdentityRecord record{.identity_id = UuidOf(row[0]),
                        .subject = row[1].as<std::string>(),
                        .label = std::nullopt,
                        .keys = {},
                        .enrolled_at = TimeOf(row[3]),
                        .revoked_at = OptionalTimeOf(row[4]),
                        .change = row[5].as<std::uint64_t>(),
                        .version = std::nullopt,
                        .life = row[9].as<int>(),
                        .quarantine_end = OptionalTimeOf(row[10])};
  if (!row[2].is_null()) record.label = row[2].as<std::string>();
  if (!row[6].is_null()) record.version = PublishedIn{row[6].as<std::string>(), row[7].as<std::uint32_t>(), row[8].as<std::uint32_t>()};
  return record;
}

void ReadKeys(pqxx::transaction_base& transaction, const std::vector<IdentityRecord*>& identities) {
  if (identities.empty()) return;
  std::map<OctetsView, IdentityRecord*> by_id;
  std::vector<OctetsView> identity_ids;
  for (IdentityRecord* identity : identities) {
    by_id.emplace(identity->identity_id, identity);
    identity_ids.push_back(identity->identity_id);
  }
  for (const pqxx::row& row : Execute(transaction, kReadKeys, UuidArray(identity_ids))) {
    IdentityRecord& identity = *by_id.at(UuidOf(row[0]));
    const auto type = dns::AllowedRrType(static_cast<std::uint16_t>(row[2].as<int>()));
    IDZONE_INVARIANT(type.has_value(), "registry.credential holds allowed types alone: its CHECK says so");
    identity.keys.push_back({.fingerprint = OctetsOf(row[1]),
                             .type = *type,
                             .rdata = OctetsOf(row[3]),
                             .added_at = OptionalTimeOf(row[4]).value_or(identity.enrolled_at),
                             .retired_at = OptionalTimeOf(row[5])});
  }
}

std::map<Octets, IdentityRecord> ReadIdentities(pqxx::transaction_base& transaction, const std::vector<OctetsView>& identity_ids) {
  std::map<Octets, IdentityRecord> identities;
  for (const pqxx::row& row : Execute(transaction, kReadIdentities, UuidArray(identity_ids))) {
    IdentityRecord record = ReadIdentity(row);
    Octets identity_id = record.identity_id;
    identities.emplace(std::move(identity_id), std::move(record));
  }
  std::vector<IdentityRecord*> found;
  for (auto& [identity_id, record] : identities) found.push_back(&record);
  ReadKeys(transaction, found);
  return identities;
}

void ChangedIdentities::Add(std::int32_t namespace_id, const Actor& actor, OctetsView identity_id) {
  by_namespace[namespace_id].push_back(identity_id);
  by_actor[{namespace_id, actor}].push_back(identity_id);
}

void WriteDirty(pqxx::transaction_base& transaction, DirtyKind kind, std::int64_t batch_id, std::int32_t namespace_id,
                const std::vector<OctetsView>& identity_ids) {
  Execute(transaction, kInsertDirty, batch_id, namespace_id, static_cast<int>(kind), UuidArray(identity_ids));
}

void WriteChanges(pqxx::transaction_base& transaction, DirtyKind kind, const char* event, const BatchNumbers& numbers,
                  const ChangedIdentities& changed) {
  for (const DirtyBatch& batch : numbers.batches) WriteDirty(transaction, kind, batch.id, batch.namespace_id, batch.identity_ids);
  for (const auto& [key, identity_ids] : changed.by_actor)
    WriteEvent(transaction, key.second, {.kind = event, .namespace_id = key.first, .identity_ids = identity_ids});
}

void WriteAuthorityChange(pqxx::transaction_base& transaction, std::int64_t batch_id, std::int32_t namespace_id, OctetsView stand_in) {
  Execute(transaction, kInsertAuthorityDirty, batch_id, namespace_id, Uuid(stand_in));
}

void LockKeys(pqxx::transaction_base& transaction, OctetsView identity_id) {
  Execute(transaction, kLockKeys, Uuid(identity_id));
}

Result<void> CheckKeyFree(pqxx::transaction_base& transaction, std::int32_t namespace_id, OctetsView fingerprint,
                          const std::string& subject) {
  const pqxx::result holder = Execute(transaction, kFindHolder, namespace_id, Bytea(fingerprint));
  if (holder.empty()) return {};
  const std::string met = "the key of " + holder[0][0].as<std::string>() + ", SHA-256 " + HexEncode(fingerprint);
  if (holder[0][1].as<bool>()) return Fail(Reason::kKeyRevoked, "material", "a key that was never revoked or retired", met);
  return Fail(Reason::kKeyAlreadyBound, "material", "a key of its own for " + subject, met);
}

Error RevokedError(const IdentityRecord& identity) {
  const std::string from = identity.quarantine_end ? "from " + FormatTime(*identity.quarantine_end) + " on"
                                                   : "once its revocation is published and its record is believed nowhere";
  return {Reason::kIdentityRevoked, "id", "an identity that is not revoked",
          identity.subject + ", which was revoked; a re-enroller may enroll it again with a new key, " + from};
}

const KeyRecord& IdentityRecord::MainKey() const {
  IDZONE_INVARIANT(!keys.empty(), "an identity has a key: both are inserted in one transaction");
  const auto active = std::find_if(keys.begin(), keys.end(), [](const KeyRecord& key) { return !key.retired_at; });
  return active == keys.end() ? keys.front() : *active;
}

const KeyRecord* IdentityRecord::FindKey(OctetsView fingerprint) const {
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const KeyRecord& key) { return key.fingerprint == fingerprint; });
  return found == keys.end() ? nullptr : &*found;
}

}  // namespace idzone::store
