// SPDX-License-Identifier: MIT
#include <algorithm>

#include "services/core/base/limits.h"
#include "services/store/database.h"
#include "services/store/failure.h"
#include "services/store/registry_batch.h"
#include "services/store/registry_enrollment.h"

namespace idzone::store {
namespace {

using Transaction = pqxx::transaction_base;
using Outcomes = std::vector<Result<Revoked>>;

constexpr Statement kInsert{
    "revoke_insert",
    "insert into registry.revocation (identity_id, namespace_id, batch_id, reason, life)"
    " select * from unnest($1::uuid[], $2::integer[], $3::bigint[], $4::text[], $5::smallint[]) on conflict do nothing"};

/// Inserts the revocations, ascending by key. Throws LostRace when another transaction was faster.
void Insert(Transaction& transaction, std::vector<const Revocation*> chosen, const BatchNumbers& numbers,
            const std::map<Octets, IdentityRecord>& identities) {
  std::sort(chosen.begin(), chosen.end(), [](const auto* left, const auto* right) { return left->identity_id < right->identity_id; });
  std::vector<OctetsView> ids;
  std::vector<std::int32_t> namespaces;
  std::vector<std::int64_t> batches;
  std::vector<std::string_view> reasons;
  std::vector<std::int16_t> lives;
  for (const Revocation* item : chosen) {
    ids.push_back(item->identity_id);
    namespaces.push_back(item->home->namespace_id);
    batches.push_back(numbers.of_identity.at(item->identity_id));
    reasons.push_back(item->reason);
    lives.push_back(static_cast<std::int16_t>(identities.at(item->identity_id).life));
  }
  const auto inserted = Execute(transaction, kInsert, UuidArray(ids), IntegerArray(namespaces), BigintArray(batches), TextArray(reasons),
                                SmallintArray(lives));
  if (inserted.affected_rows() != chosen.size()) throw LostRace{};
}

Result<Outcomes> RevokeIn(Transaction& transaction, const std::vector<Revocation>& items) {
  std::vector<OctetsView> identity_ids;
  for (const Revocation& item : items) identity_ids.push_back(item.identity_id);
  std::map<Octets, IdentityRecord> identities = ReadIdentities(transaction, identity_ids);
  std::map<Octets, const Revocation*> chosen;
  ChangedIdentities changed;
  for (const Revocation& item : items) {
    const auto there = identities.find(item.identity_id);
    if (there == identities.end() || there->second.revoked_at || !chosen.emplace(item.identity_id, &item).second) continue;
    changed.Add(item.home->namespace_id, item.actor, item.identity_id);
  }
  BatchNumbers numbers;
  if (!chosen.empty()) {
    numbers = TakeBatchNumbers(transaction, changed);
    std::vector<const Revocation*> rows;
    for (const auto& [identity_id, item] : chosen) rows.push_back(item);
    Insert(transaction, std::move(rows), numbers, identities);
    WriteChanges(transaction, DirtyKind::kRevocation, "identity.revoked", numbers, changed);
  }
  Outcomes outcomes;
  for (const Revocation& item : items) {
    const auto there = identities.find(item.identity_id);
    if (there == identities.end()) {
      outcomes.push_back(Fail(Reason::kNotFound, "id", "an enrolled identity", item.subject));
      continue;
    }
    Revoked revoked{there->second, true};
    if (const auto mine = chosen.find(item.identity_id); mine != chosen.end()) {
      revoked.already = mine->second != &item;
      revoked.identity.revoked_at = numbers.now;
      revoked.identity.change = static_cast<std::uint64_t>(numbers.of_identity.at(item.identity_id));
      revoked.identity.version.reset();
    }
    outcomes.push_back(std::move(revoked));
  }
  return outcomes;
}

}  // namespace

std::vector<Result<Revoked>> RevokeBatch(Database& database, const std::vector<Revocation>& items) {
  IDZONE_INVARIANT(items.size() <= limits::kEnrollBatchMax, "a batch has at most kEnrollBatchMax items");
  auto outcomes = database.Transact("revoke", [&](Transaction& transaction) { return RevokeIn(transaction, items); });
  if (outcomes) return std::move(*outcomes);
  return {items.size(), Result<Revoked>(tl::unexpected(outcomes.error()))};
}

}  // namespace idzone::store
