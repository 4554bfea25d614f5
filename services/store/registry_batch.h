// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <vector>

#include "services/store/encoding.h"
#include "services/store/registry_record.h"

/// What enrolling and revoking batches share, for the registry's own .cc files.
namespace idzone::store {

/// The numbers of dirty batches: registry.dirty_batch.kind.
enum class DirtyKind { kRevocation = 1, kEnrollment = 2 };

/// Returns the identities that exist, by id, with keys, revocation and version.
std::map<Octets, IdentityRecord> ReadIdentities(pqxx::transaction_base& transaction, const std::vector<OctetsView>& identity_ids);
/// Reads one row of IDZONE_IDENTITY_COLUMNS; the keys are not in it.
IdentityRecord ReadIdentity(const pqxx::row& row);
/// Reads the keys of identities that were read.
void ReadKeys(pqxx::transaction_base& transaction, const std::vector<IdentityRecord*>& identities);

/// Makes adding and retiring keys, and enrolling again, wait for each other until the transaction ends: what they decide about an
/// identity must still be so at the commit. A revocation waits for nobody, and what is added to a revoked identity is never published.
void LockKeys(pqxx::transaction_base& transaction, OctetsView identity_id);

/// What callers are told who want to change a revoked identity: IDENTITY_REVOKED, and from when it may be enrolled again.
Error RevokedError(const IdentityRecord& identity);

/// Refuses a key that another identity has, or that any had: KEY_ALREADY_BOUND, KEY_REVOKED. `subject`: whose it is to be.
Result<void> CheckKeyFree(pqxx::transaction_base& transaction, std::int32_t namespace_id, OctetsView fingerprint,
                          const std::string& subject);

/// Identities that changed, by namespace and by who changed them.
struct ChangedIdentities {
  std::map<std::int32_t, std::vector<OctetsView>> by_namespace;
  std::map<std::pair<std::int32_t, Actor>, std::vector<OctetsView>> by_actor;
  void Add(std::int32_t namespace_id, const Actor& actor, OctetsView identity_id);
};

/// A batch number, and the transaction's time, which `default now()` writes.
struct BatchNumber {
  std::int64_t id = 0;
  UnixTime now;
};
BatchNumber TakeBatchNumber(pqxx::transaction_base& transaction);

/// Identities of a namespace that go into one dirty batch.
struct DirtyBatch {
  std::int64_t id = 0;
  std::int32_t namespace_id = 0;
  std::vector<OctetsView> identity_ids;
};
/// The dirty batches that identities go into, which are the views of `changed`.
struct BatchNumbers {
  std::vector<DirtyBatch> batches;
  std::map<OctetsView, std::int64_t> of_identity;
  UnixTime now;
};
BatchNumbers TakeBatchNumbers(pqxx::transaction_base& transaction, const ChangedIdentities& changed);

/// Writes the dirty batches, and one event of that name a namespace and actor.
void WriteChanges(pqxx::transaction_base& transaction, DirtyKind kind, const char* event, const BatchNumbers& numbers,
                  const ChangedIdentities& changed);
/// Writes the dirty batch alone.
void WriteDirty(pqxx::transaction_base& transaction, DirtyKind kind, std::int64_t batch_id, std::int32_t namespace_id,
                const std::vector<OctetsView>& identity_ids);
/// Writes a dirty batch about the namespace's authority. `stand_in` is the identity id that stands for it.
void WriteAuthorityChange(pqxx::transaction_base& transaction, std::int64_t batch_id, std::int32_t namespace_id, OctetsView stand_in);

/// The revocation of the life that an identity is in, or nothing: one that a re-enrollment followed belongs to the past.
#define IDZONE_REVOCATION_OF(alias)                                    \
  "select v.* from registry.revocation v where v.identity_id = " alias \
  ".identity_id and not exists ("                                      \
  "select 1 from registry.reenrollment e where e.identity_id = v.identity_id and e.ended_life = v.life) offset 0"

/// The columns and joins of an identity i, for ReadIdentity. k: the newest batches that added or retired a key.
#define IDZONE_IDENTITY_COLUMNS                                                            \
  "i.identity_id, i.subject, i.label, extract(epoch from i.enrolled_at)::bigint,"          \
  " extract(epoch from r.revoked_at)::bigint, n.batch_id, z.name_text, b.epoch, b.serial," \
  " 1 + l.ended_lives, extract(epoch from q.ends_at)::bigint"
#define IDZONE_IDENTITY_JOINS \
  " left join lateral (" IDZONE_REVOCATION_OF("i") ") r on true"                                                \
  " cross join lateral (select coalesce(max(e.ended_life), 0) as ended_lives from registry.reenrollment e"      \
  " where e.identity_id = i.identity_id) l"                                                                     \
  " left join published.quarantine q on q.batch_id = r.batch_id and not exists ("                               \
  "select 1 from registry.dirty_batch d where d.batch_id = r.batch_id)"                                         \
  " cross join lateral (select max(c.batch_id) as added, max(t.batch_id) as retired from registry.credential c" \
  " left join registry.retirement t on t.namespace_id = c.namespace_id and t.fingerprint = c.fingerprint"       \
  " where c.identity_id = i.identity_id offset 0) k"                                                            \
  " cross join lateral (select coalesce(r.batch_id, greatest(i.batch_id, k.added, k.retired)) as batch_id) n"   \
  " left join published.batch p on p.batch_id = n.batch_id"                                                     \
  " left join registry.namespace h on h.namespace_id = i.namespace_id" IDZONE_OWNING_VERSION                    \
  " left join published.zone z on z.zone_id = b.zone_id"

/// b: of the zones that the batch p moved, the one that owns the name of identity i in namespace h, and where it stood. In trees
/// that is looked for by its name; elsewhere it is the one with the longest name that the identity's ends in; the batch's first
/// when there is none.
#define IDZONE_OWNING_VERSION                                                                                                             \
  " left join lateral (select u.zone_id, u.epoch, u.serial from unnest(coalesce(p.zone_ids, array[p.zone_id]),"                           \
  " coalesce(p.epochs, array[p.epoch]), coalesce(p.serials, array[p.serial])) with ordinality u(zone_id, epoch, serial, o)"               \
  " where p.batch_id is not null order by case"                                                                                           \
  " when cardinality(p.zone_ids) <= 1 or p.zone_ids is null then 0"                                                                       \
  " when h.has_cuts then (select -1 from published.zone t where t.zone_id = u.zone_id and t.name_text ="                                  \
  " left(encode(sha256(convert_to(coalesce(i.label, i.subject), 'UTF8')), 'hex'), h.layout_width) || '.' || h.name_text)"                 \
  " else (select -length(t.name_text) from published.zone t where t.zone_id = u.zone_id and right(regexp_replace(reverse("                \
  "split_part(i.subject, '.', 1)), '(.)', '\\1.', 'g') || h.name_text, length(t.name_text)) = t.name_text) end nulls last, u.o limit 1) " \
  "b on true"

}  // namespace idzone::store
