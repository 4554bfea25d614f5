// SPDX-License-Identifier: MIT
#include "services/store/encoding.h"
#include "services/store/published_store.h"

namespace idzone::store {
namespace {

/// Batches looked at in one transaction: a burst of single enrollments makes as many batches as identities.
constexpr std::int64_t kBatchesMax = 1000;
/// registry.dirty_batch.kind.
constexpr int kRevocationKind = 1;

// Order of the queue: revocations (kind 1) before enrollments, then as they came.
constexpr Statement kTakeBatches{"published_take_batches", R"(
select q.batch_id, q.kind, q.size, q.about_authority, q.total from (
    select h.batch_id, h.kind, h.size, h.about_authority, sum(h.size) over (order by h.kind, h.batch_id) as total from (
        select d.batch_id, d.kind, d.about_authority, cardinality(d.identity_ids) as size from registry.dirty_batch d
         where d.namespace_id = $1::integer order by d.kind, d.batch_id limit $2::bigint for update skip locked) h) q
 order by q.kind, q.batch_id)"};

constexpr Statement kRevocationWaits{
    "published_revocation_waits",
    "select exists (select 1 from registry.dirty_batch d where d.kind = 1 and d.namespace_id <> all ($1::integer[]))"};

// Shapes of plans: see published_node.cc.
constexpr Statement kDeleteBatches{"published_delete_batches", R"(
delete from registry.dirty_batch d
 using unnest($1::bigint[]) u(batch_id)
 cross join lateral (select h.ctid as address from registry.dirty_batch h where h.batch_id = u.batch_id offset 0) f
 where d.ctid = f.address)"};

// The namespace in the look-ups keeps a batch from ever speaking about another namespace's identities.
constexpr Statement kLoadDesired{"published_load_desired", R"(
select u.batch_id, i.subject, i.label, r.identity_id is null as active, c.rr_type, c.rdata
  from unnest($2::bigint[]) u(batch_id)
 cross join lateral (select h.identity_ids from registry.dirty_batch h where h.batch_id = u.batch_id offset 0) d
 cross join lateral unnest(d.identity_ids) m(identity_id)
 cross join lateral (
       select t.identity_id, t.subject, t.label from registry.identity t
        where t.identity_id = m.identity_id and t.namespace_id = $1::integer offset 0) i
  left join lateral (
       select v.identity_id from registry.revocation v where v.identity_id = i.identity_id and not exists (
              select 1 from registry.reenrollment e where e.identity_id = v.identity_id and e.ended_life = v.life)
       offset 0) r on true
  left join lateral (
       select k.rr_type, k.rdata from registry.credential k
        where k.identity_id = i.identity_id and not exists (
              select 1 from registry.retirement e where e.namespace_id = k.namespace_id and e.fingerprint = k.fingerprint)
       offset 0) c on true
 order by i.subject, u.batch_id)"};

constexpr Statement kLoadAuthority{"published_load_authority", R"(
select rdata from registry.authority where namespace_id = $1::integer and removed_at is null)"};

}  // namespace

DirtyBatches TakeDirtyBatches(Transaction& transaction, std::int32_t namespace_id, std::int64_t identities_max) {
  DirtyBatches taken;
  // Each holds an identity at least; one more says whether there are more.
  const std::int64_t batches_max = std::min(kBatchesMax, identities_max + 1);
  const pqxx::result rows = Execute(transaction, kTakeBatches, namespace_id, batches_max);
  for (const pqxx::row& row : rows) {
    // Revocations go by themselves: a version of theirs is small, and so soon signed, verified and served.
    const bool behind_revocations = row["kind"].as<int>() != rows[0]["kind"].as<int>();
    if (!taken.batch_ids.empty() && (behind_revocations || NumberOf<std::int64_t>(row["total"]) > identities_max)) break;
    taken.batch_ids.push_back(NumberOf<std::int64_t>(row["batch_id"]));
    if (NumberOf<int>(row["kind"]) == kRevocationKind) taken.revocation_ids.push_back(taken.batch_ids.back());
    taken.identity_count += NumberOf<std::int64_t>(row["size"]);
    taken.about_authority = taken.about_authority || row["about_authority"].as<bool>();
  }
  taken.more = taken.batch_ids.size() < rows.size() || static_cast<std::int64_t>(rows.size()) == batches_max;
  return taken;
}

bool RevocationWaits(Transaction& transaction, std::span<const std::int32_t> but_for) {
  return Execute(transaction, kRevocationWaits, IntegerArray({but_for.begin(), but_for.end()}))[0][0].as<bool>();
}

void DeleteDirtyBatches(Transaction& transaction, const std::vector<std::int64_t>& batch_ids) {
  if (!batch_ids.empty()) Execute(transaction, kDeleteBatches, BigintArray(batch_ids));
}

std::vector<DesiredIdentity> LoadDesired(Transaction& transaction, std::int32_t namespace_id, const std::vector<std::int64_t>& batch_ids) {
  std::vector<DesiredIdentity> identities;
  for (const pqxx::row& row : Execute(transaction, kLoadDesired, namespace_id, BigintArray(batch_ids))) {
    auto subject = row["subject"].as<std::string>();
    const auto batch_id = NumberOf<std::int64_t>(row["batch_id"]);
    // Rows of one identity follow each other; an identity in two batches repeats its credentials, which an RRset merges.
    if (identities.empty() || identities.back().subject != subject)
      identities.push_back({std::move(subject), std::nullopt, row["active"].as<bool>(), {}, {}});
    DesiredIdentity& identity = identities.back();
    if (!row["label"].is_null()) identity.label = row["label"].as<std::string>();
    if (identity.batch_ids.empty() || identity.batch_ids.back() != batch_id) identity.batch_ids.push_back(batch_id);
    if (row["rdata"].is_null()) continue;
    identities.back().records.push_back({static_cast<std::uint16_t>(NumberOf<int>(row["rr_type"])), OctetsOf(row["rdata"])});
  }
  return identities;
}

std::optional<Octets> LoadAuthority(Transaction& transaction, std::int32_t namespace_id) {
  const pqxx::result rows = Execute(transaction, kLoadAuthority, namespace_id);
  if (rows.empty()) return std::nullopt;
  return OctetsOf(rows[0]["rdata"]);
}

}  // namespace idzone::store
