// SPDX-License-Identifier: MIT
#include "services/store/registry_authority.h"

#include "services/core/identity/subject.h"
#include "services/store/database.h"
#include "services/store/registry_batch.h"
#include "services/store/registry_event.h"
#include "services/store/registry_namespace.h"

namespace idzone::store {
namespace {

using Transaction = pqxx::transaction_base;

// Two admins at once: the second one decides upon what the first one did.
constexpr Statement kLock{"authority_lock", "select pg_advisory_xact_lock(2054123110, $1::integer)"};
constexpr Statement kFind{"authority_find",
                          "select removed_at is null, rdata from registry.authority"
                          " where namespace_id = $1::integer and fingerprint = $2::bytea"};
constexpr Statement kRemove{"authority_remove",
                            "update registry.authority set removed_at = now(), removed_batch_id = $2::bigint"
                            " where namespace_id = $1::integer and removed_at is null"};
constexpr Statement kInsert{"authority_insert",
                            "insert into registry.authority (namespace_id, fingerprint, rdata, batch_id)"
                            " values ($1::integer, $2::bytea, $3::bytea, $4::bigint)"};

/// Takes a batch number for a change of the authority, and queues it for the signer.
std::int64_t WriteChange(Transaction& transaction, const Actor& actor, const NamespaceRecord& home, const char* event,
                         std::string_view fingerprint) {
  const std::int64_t batch_id = TakeBatchNumber(transaction).id;
  WriteAuthorityChange(transaction, batch_id, home.namespace_id, Sha256(home.name.wire()).substr(0, identity::kIdentityIdOctets));
  WriteEvent(transaction, actor,
             {.kind = event, .namespace_id = home.namespace_id, .detail = JsonObject({{"fingerprint", HexEncode(fingerprint)}})});
  return batch_id;
}

Result<NamespaceRecord> SetIn(Transaction& transaction, const Actor& actor, const Authority& wanted) {
  auto home = FindNamespaceIn(transaction, wanted.name);
  if (!home) return home;
  Execute(transaction, kLock, home->namespace_id);
  const pqxx::result there = Execute(transaction, kFind, home->namespace_id, Bytea(wanted.fingerprint));
  const std::string shown = "SHA-256 " + HexEncode(wanted.fingerprint);
  if (!there.empty() && !there[0][0].as<bool>())
    return Fail(Reason::kKeyRevoked, "certificate", "an authority that was never removed", shown);
  if (!there.empty() && OctetsOf(there[0][1]) != wanted.rdata)
    return Fail(Reason::kAlreadyExists, "certificate", "the record as it is published", "another record of the same key, " + shown);
  if (!there.empty()) return home;
  const std::int64_t batch_id = WriteChange(transaction, actor, *home, "authority.set", wanted.fingerprint);
  Execute(transaction, kRemove, home->namespace_id, batch_id);
  Execute(transaction, kInsert, home->namespace_id, Bytea(wanted.fingerprint), Bytea(wanted.rdata), batch_id);
  return FindNamespaceIn(transaction, wanted.name);
}

Result<AuthorityRemoval> RemoveIn(Transaction& transaction, const Actor& actor, const dns::Name& name) {
  auto home = FindNamespaceIn(transaction, name);
  if (!home) return tl::unexpected(home.error());
  Execute(transaction, kLock, home->namespace_id);
  home = FindNamespaceIn(transaction, name);
  if (!home) return tl::unexpected(home.error());
  if (!home->authority) return AuthorityRemoval{std::move(*home), 0};
  const std::int64_t batch_id = WriteChange(transaction, actor, *home, "authority.removed", home->authority->fingerprint);
  Execute(transaction, kRemove, home->namespace_id, batch_id);
  home->authority.reset();
  return AuthorityRemoval{std::move(*home), static_cast<std::uint64_t>(batch_id)};
}

}  // namespace

Result<NamespaceRecord> SetAuthority(Database& database, const Actor& actor, const Authority& authority) {
  return database.Transact("set authority", [&](Transaction& transaction) { return SetIn(transaction, actor, authority); });
}

Result<AuthorityRemoval> RemoveAuthority(Database& database, const Actor& actor, const dns::Name& name) {
  return database.Transact("remove authority", [&](Transaction& transaction) { return RemoveIn(transaction, actor, name); });
}

}  // namespace idzone::store
