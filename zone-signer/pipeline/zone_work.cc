// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/zone_work.h"

#include <algorithm>

#include "zone-signer/pipeline/apex.h"
#include "zone-signer/pipeline/change_plan.h"
#include "zone-signer/pipeline/sweep.h"

namespace idzone::signer::pipeline {
namespace {

Result<void> Publish(store::Transaction& transaction, ZoneSession& session, VersionDraft& draft, const WorkTools& tools,
                     WorkOutcome& outcome, bool first = false) {
  auto published = PublishVersion(transaction, session, draft, tools.signer, first);
  if (!published) return tl::unexpected(published.error());
  outcome.published = true;
  outcome.publication = *published;
  outcome.nodes = std::count_if(draft.nodes().begin(), draft.nodes().end(), [](const auto& entry) {
    return entry.second.removed || entry.second.data_changed || entry.second.denial_changed;
  });
  return {};
}

/// Returns the key of the namespace: the one that an earlier attempt left behind, or a new one.
Result<keys::SigningKey> KeyForNewZone(store::Transaction& transaction, const store::NamespaceRow& registered, keys::KeyDirectory& keys) {
  const auto known = store::FindKey(transaction, registered.namespace_id);
  if (!known) return tl::unexpected(known.error());
  if (*known) return keys.Load((*known)->key_id);
  // The file first: a key in the database without its file could never sign, a file without its row does no harm.
  auto key = keys.Create(registered.algorithm);
  if (key) store::InsertKey(transaction, registered.namespace_id, {key->id(), key->key_tag(), key->dnskey()});
  return key;
}

/// Marks what is old in a node that the sweep met. Returns the least remaining life before that.
Result<std::chrono::seconds> RenewNode(DraftNode& node, const ZoneSession& session) {
  std::chrono::seconds least = std::chrono::hours(24 * 365);
  const auto look = [&](const Octets& rrsig, std::chrono::seconds period) -> Result<bool> {
    const auto age = signing::SignatureAge(rrsig, session.now, session.policy.inception_offset);
    const auto rest = signing::SignatureRest(rrsig, session.now);
    if (!age) return tl::unexpected(age.error());
    if (!rest) return tl::unexpected(rest.error());
    least = std::min(least, *rest);
    return SweepRenews(*age, period);
  };
  for (dns::RrSet& rrset : node.row.rrsets) {
    // The zone's own RRsets have a timer of their own (RefreshApex).
    if (IsApexType(rrset.type)) continue;
    for (const Octets& rrsig : rrset.rrsigs) {
      const auto old = look(rrsig, session.policy.identity.resign);
      if (!old) return tl::unexpected(old.error());
      if (*old) {
        rrset.rrsigs.clear();
        node.data_changed = true;
        break;
      }
    }
  }
  const auto old = look(node.row.denial.rrsig, session.policy.denial.resign);
  if (!old) return tl::unexpected(old.error());
  if (*old) node.denial_changed = true;
  return least;
}

Result<void> TakeSweepStep(store::Transaction& transaction, ZoneSession& session, const SweepStep& step, const WorkTools& tools,
                           VersionDraft& draft, WorkOutcome& outcome) {
  auto rows = store::LoadSweepRange(transaction, session.zone.zone_id, session.denial(), {step.after, step.through, tools.batch_max});
  if (!rows) return tl::unexpected(rows.error());
  outcome.more = static_cast<std::int64_t>(rows->size()) == tools.batch_max;
  const Octets last_place = outcome.more ? store::SweepPlaceOf(session.denial(), rows->back()) : Octets();
  for (store::NodeRow& row : *rows) {
    const auto rest = RenewNode(draft.AddLoaded(std::move(row)), session);
    if (!rest) return tl::unexpected(rest.error());
    outcome.least_rest = std::min(outcome.least_rest.value_or(*rest), *rest);
  }
  const std::chrono::seconds period = std::min(session.policy.identity.resign, session.policy.denial.resign);
  const SweepState next = AfterSweepStep({session.zone.resign_key, session.zone.resign_round}, step, last_place, period, session.now);
  session.zone.resign_key = next.position;
  session.zone.resign_round = next.round_start;
  return {};
}

}  // namespace

Result<WorkOutcome> CreateZone(store::Transaction& transaction, const store::NamespaceRow& registered, const WorkTools& tools) {
  WorkOutcome outcome;
  auto policy = zone::FindZonePolicy(registered.policy);
  if (!policy) return tl::unexpected(policy.error());
  outcome.busy = !store::TryLockZoneCreation(transaction, registered);
  if (outcome.busy) return outcome;
  auto key = KeyForNewZone(transaction, registered, tools.keys);
  if (!key) return tl::unexpected(key.error());

  store::ZoneRow zone;
  zone.position = {.epoch = 1, .serial = 1, .digest = Octets(32, '\0')};
  zone.node_count = 1;
  zone.resign_round = zone.last_signed_at = tools.now;
  zone.zone_id = store::InsertZone(transaction, registered, zone);
  zone.node_count = 0;  // PublishVersion counts the apex
  ZoneSession session{registered, std::move(*policy), std::move(zone), std::move(*key), tools.now, tools.now};
  VersionDraft draft;
  DraftNode& apex =
      draft.Create(session.KeyOf(registered.apex), registered.apex, 0, DesiredApex(registered, session.policy, session.key.dnskey(), 1));
  apex.row.denial.next = dns::DenialNextOf(session.denial(), apex.row.key, registered.apex);  // alone in the chain
  if (auto published = Publish(transaction, session, draft, tools, outcome, true); !published) return tl::unexpected(published.error());
  outcome.position = session.zone.position;
  outcome.apex_due = tools.now + session.policy.apex.resign;
  return outcome;
}

Result<WorkOutcome> PublishChanges(store::Transaction& transaction, const store::ZoneWork& work, const WorkTools& tools) {
  WorkOutcome outcome;
  auto session = BeginZoneSession(transaction, work, tools.keys, tools.now);
  if (!session) return tl::unexpected(session.error());
  outcome.busy = !*session;
  if (outcome.busy) return outcome;
  const auto start = std::chrono::steady_clock::now();
  const auto batches = store::TakeDirtyBatches(transaction, work.registered.namespace_id, tools.batch_max);
  outcome.more = batches.more;
  outcome.identities = batches.identity_count;
  if (batches.batch_ids.empty()) return outcome;

  const auto identities = store::LoadDesired(transaction, work.registered.namespace_id, batches.batch_ids);
  VersionDraft draft;
  Wishes wishes = MakeWishes(**session, identities, outcome.refused);
  if (batches.about_authority)
    AddAuthorityWish(**session, store::LoadAuthority(transaction, work.registered.namespace_id), wishes, outcome.refused);
  if (auto planned = PlanChanges(transaction, **session, wishes, draft); !planned) return tl::unexpected(planned.error());
  if (auto apex = DraftApex(transaction, **session, draft); !apex) return tl::unexpected(apex.error());
  outcome.apex_due = (*session)->apex_due;
  outcome.planning = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
  if (draft.HasChanges()) {
    if (auto published = Publish(transaction, **session, draft, tools, outcome); !published) return tl::unexpected(published.error());
  }
  outcome.position = (*session)->zone.position;
  store::DeleteDirtyBatches(transaction, batches.batch_ids);
  store::InsertBatches(transaction, (*session)->zone.zone_id, outcome.position, batches.batch_ids);
  return outcome;
}

Result<WorkOutcome> RenewSignatures(store::Transaction& transaction, const store::ZoneWork& work, const WorkTools& tools) {
  WorkOutcome outcome;
  auto begun = BeginZoneSession(transaction, work, tools.keys, tools.now);
  if (!begun) return tl::unexpected(begun.error());
  outcome.busy = !*begun;
  if (outcome.busy) return outcome;
  ZoneSession& session = **begun;
  VersionDraft draft;
  if (auto apex = DraftApex(transaction, session, draft); !apex) return tl::unexpected(apex.error());
  outcome.apex_due = session.apex_due;
  const SweepLimits limits{.period = std::min(session.policy.identity.resign, session.policy.denial.resign),
                           .node_count = session.zone.node_count,
                           .nodes_max = tools.batch_max};
  const auto step = NextSweepStep({session.zone.resign_key, session.zone.resign_round}, limits, tools.now);
  if (step) {
    if (auto taken = TakeSweepStep(transaction, session, *step, tools, draft, outcome); !taken) return tl::unexpected(taken.error());
  }
  // The SOA's own signature is renewed by any version; in a zone where nothing else happens, by an empty one.
  const bool soa_due = tools.now - session.zone.last_signed_at >= session.policy.apex.resign;
  if (draft.HasChanges() || soa_due) {
    if (auto published = Publish(transaction, session, draft, tools, outcome); !published) return tl::unexpected(published.error());
  } else if (step) {
    store::UpdateZone(transaction, session.zone);
  }
  outcome.position = session.zone.position;
  return outcome;
}

}  // namespace idzone::signer::pipeline
