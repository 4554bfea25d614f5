// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <set>
#include <vector>

#include "services/store/encoding.h"
#include "services/store/registry_record.h"

/// What enrolling and revoking batches share, for the registry's own .cc files.
namespace idzone::store {

/// The numbers of dirty batches: registry.dirty_batch.kind.
enum class DirtyKind { kRevocation = 1, kEnrollment = 2 };

/// Batch numbers for namespaces, and the transaction's time, which `default now()` writes.
struct BatchNumbers {
  std::map<std::int32_t, std::int64_t> of_namespace;
  UnixTime now;
};
BatchNumbers TakeBatchNumbers(pqxx::transaction_base& transaction, const std::set<std::int32_t>& namespaces);

/// Returns the identities that exist, by id, with credential, revocation and version.
std::map<Octets, IdentityRecord> ReadIdentities(pqxx::transaction_base& transaction, const std::vector<OctetsView>& identity_ids);
/// Reads one row of the columns that ReadIdentities selects (kIdentityColumns).
IdentityRecord ReadIdentity(const pqxx::row& row);

/// Identities that changed, by namespace and by who changed them.
struct ChangedIdentities {
  std::map<std::int32_t, std::vector<OctetsView>> by_namespace;
  std::map<std::pair<std::int32_t, Actor>, std::vector<OctetsView>> by_actor;
  void Add(std::int32_t namespace_id, const Actor& actor, OctetsView identity_id);
};
/// Writes one dirty batch a namespace and one event a namespace and actor.
void WriteChanges(pqxx::transaction_base& transaction, DirtyKind kind, const BatchNumbers& numbers, const ChangedIdentities& changed);

/// The columns and joins of an identity i, for ReadIdentity.
#define IDZONE_IDENTITY_COLUMNS                                                                  \
  "i.identity_id, i.subject, c.fingerprint, c.rdata, extract(epoch from i.enrolled_at)::bigint," \
  " extract(epoch from r.revoked_at)::bigint, coalesce(r.batch_id, i.batch_id), z.name_text, b.epoch, b.serial"
#define IDZONE_IDENTITY_JOINS                                                     \
  " join registry.credential c on c.identity_id = i.identity_id"                  \
  " left join registry.revocation r on r.identity_id = i.identity_id"             \
  " left join published.batch b on b.batch_id = coalesce(r.batch_id, i.batch_id)" \
  " left join published.zone z on z.zone_id = b.zone_id"

}  // namespace idzone::store
