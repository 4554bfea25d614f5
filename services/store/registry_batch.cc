// SPDX-License-Identifier: MIT
#include "services/store/registry_batch.h"

#include "services/store/registry_event.h"

namespace idzone::store {
namespace {

constexpr Statement kTakeNumbers{
    "batch_take_numbers", "select nextval('registry.batch_id'), extract(epoch from now())::bigint from generate_series(1, $1::integer)"};
constexpr Statement kReadIdentities{
    "batch_read_identities", "select " IDZONE_IDENTITY_COLUMNS
                             " from unnest($1::uuid[]) u(id) join registry.identity i on i.identity_id = u.id" IDZONE_IDENTITY_JOINS};
constexpr Statement kInsertDirty{"batch_insert_dirty",
                                 "insert into registry.dirty_batch (batch_id, namespace_id, kind, identity_ids)"
                                 " values ($1::bigint, $2::integer, $3::smallint, $4::uuid[])"};

}  // namespace

BatchNumbers TakeBatchNumbers(pqxx::transaction_base& transaction, const std::set<std::int32_t>& namespaces) {
  BatchNumbers numbers;
  const pqxx::result rows = Execute(transaction, kTakeNumbers, namespaces.size());
  auto row = rows.begin();
  for (const std::int32_t namespace_id : namespaces) {
    numbers.of_namespace[namespace_id] = row[0].as<std::int64_t>();
    numbers.now = TimeOf(row[1]);
    ++row;
  }
  return numbers;
}

IdentityRecord ReadIdentity(const pqxx::row& row) {
  IdentityRecord record{.identity_id = UuidOf(row[0]),
                        .subject = row[1].as<std::string>(),
                        .fingerprint = OctetsOf(row[2]),
                        .rdata = OctetsOf(row[3]),
                        .enrolled_at = TimeOf(row[4]),
                        .revoked_at = OptionalTimeOf(row[5]),
                        .change = row[6].as<std::uint64_t>(),
                        .version = std::nullopt};
  if (!row[7].is_null()) record.version = PublishedIn{row[7].as<std::string>(), row[8].as<std::uint32_t>(), row[9].as<std::uint32_t>()};
  return record;
}

std::map<Octets, IdentityRecord> ReadIdentities(pqxx::transaction_base& transaction, const std::vector<OctetsView>& identity_ids) {
  std::map<Octets, IdentityRecord> identities;
  for (const pqxx::row& row : Execute(transaction, kReadIdentities, UuidArray(identity_ids))) {
    IdentityRecord record = ReadIdentity(row);
    Octets identity_id = record.identity_id;
    identities.emplace(std::move(identity_id), std::move(record));
  }
  return identities;
}

void ChangedIdentities::Add(std::int32_t namespace_id, const Actor& actor, OctetsView identity_id) {
  by_namespace[namespace_id].push_back(identity_id);
  by_actor[{namespace_id, actor}].push_back(identity_id);
}

void WriteChanges(pqxx::transaction_base& transaction, DirtyKind kind, const BatchNumbers& numbers, const ChangedIdentities& changed) {
  for (const auto& [namespace_id, identity_ids] : changed.by_namespace)
    Execute(transaction, kInsertDirty, numbers.of_namespace.at(namespace_id), namespace_id, static_cast<int>(kind),
            UuidArray(identity_ids));
  for (const auto& [key, identity_ids] : changed.by_actor)
    WriteEvent(transaction, key.second,
               {.kind = kind == DirtyKind::kEnrollment ? "identity.enrolled" : "identity.revoked",
                .namespace_id = key.first,
                .identity_ids = identity_ids});
}

}  // namespace idzone::store
