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

/// Returns the identities that exist, by id, with keys, revocation and version.
std::map<Octets, IdentityRecord> ReadIdentities(pqxx::transaction_base& transaction, const std::vector<OctetsView>& identity_ids);
/// Reads one row of IDZONE_IDENTITY_COLUMNS; the keys are not in it.
IdentityRecord ReadIdentity(const pqxx::row& row);
/// Reads the keys of identities that were read.
void ReadKeys(pqxx::transaction_base& transaction, const std::vector<IdentityRecord*>& identities);

/// Identities that changed, by namespace and by who changed them.
struct ChangedIdentities {
  std::map<std::int32_t, std::vector<OctetsView>> by_namespace;
  std::map<std::pair<std::int32_t, Actor>, std::vector<OctetsView>> by_actor;
  void Add(std::int32_t namespace_id, const Actor& actor, OctetsView identity_id);
};
/// Writes one dirty batch a namespace and one event of that name a namespace and actor.
void WriteChanges(pqxx::transaction_base& transaction, DirtyKind kind, const char* event, const BatchNumbers& numbers,
                  const ChangedIdentities& changed);
/// Writes a dirty batch about the namespace's authority. `stand_in` is the identity id that stands for it.
void WriteAuthorityChange(pqxx::transaction_base& transaction, std::int64_t batch_id, std::int32_t namespace_id, OctetsView stand_in);

/// The columns and joins of an identity i, for ReadIdentity. k: the newest batches that added or retired a key.
#define IDZONE_IDENTITY_COLUMNS                                                   \
  "i.identity_id, i.subject, i.label, extract(epoch from i.enrolled_at)::bigint," \
  " extract(epoch from r.revoked_at)::bigint, n.batch_id, z.name_text, b.epoch, b.serial"
#define IDZONE_IDENTITY_JOINS                                                                                   \
  " left join registry.revocation r on r.identity_id = i.identity_id"                                           \
  " cross join lateral (select max(c.batch_id) as added, max(t.batch_id) as retired from registry.credential c" \
  " left join registry.retirement t on t.namespace_id = c.namespace_id and t.fingerprint = c.fingerprint"       \
  " where c.identity_id = i.identity_id offset 0) k"                                                            \
  " cross join lateral (select coalesce(r.batch_id, greatest(i.batch_id, k.added, k.retired)) as batch_id) n"   \
  " left join published.batch b on b.batch_id = n.batch_id"                                                     \
  " left join published.zone z on z.zone_id = b.zone_id"

}  // namespace idzone::store
