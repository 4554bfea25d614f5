// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/zone_work.h"

#include <algorithm>
#include <set>
#include <utility>

#include "services/core/zone/denial_signatures.h"
#include "zone-signer/pipeline/apex.h"
#include "zone-signer/pipeline/key_sweep.h"
#include "zone-signer/pipeline/routing.h"
#include "zone-signer/pipeline/sweep.h"

namespace idzone::signer::pipeline {
namespace {

Result<void> Publish(store::Transaction& transaction, OpenZones& zones, const WorkTools& tools, WorkOutcome& outcome) {
  const auto gives_way = outcome.revoked ? std::nullopt : tools.gives_way;
  auto published = PublishVersions(transaction, zones, tools.signer, tools.batch_max, gives_way);
  if (!published) return tl::unexpected(published.error());
  outcome.publication = *published;
  if (zones.all().size() == 1) outcome.position = zones.all().begin()->second.zone.position;
  return {};
}

/// Says where each batch was published: in the zones that own the names it speaks of; about nothing that can be published, in
/// the namespace's own.
std::vector<store::BatchRow> PlaceBatches(OpenZones& zones, const WishesByZone& routed, const RegistryWishes& made,
                                          const std::vector<std::int64_t>& batch_ids) {
  std::map<std::int64_t, std::vector<std::int32_t>> places;
  for (const auto& [zone_id, wishes] : routed) {
    for (const auto& [owner, wish] : wishes) {
      const auto batches = made.batches.find(owner);
      if (batches == made.batches.end()) continue;
      for (const std::int64_t batch_id : batches->second) {
        std::vector<std::int32_t>& zone_ids = places[batch_id];
        // One zone's wishes come together.
        if (zone_ids.empty() || zone_ids.back() != zone_id) zone_ids.push_back(zone_id);
      }
    }
  }
  const store::ZoneRow& own_zone =
      zones.Find(zones.home().own_zone.zone_id) != nullptr ? zones.Find(zones.home().own_zone.zone_id)->zone : zones.home().own_zone;
  std::vector<store::BatchRow> rows;
  for (const std::int64_t batch_id : batch_ids) {
    store::BatchRow row{batch_id, {}};
    for (const std::int32_t zone_id : places[batch_id]) row.zones.emplace_back(zone_id, zones.Find(zone_id)->zone.position);
    if (row.zones.empty()) row.zones.emplace_back(own_zone.zone_id, own_zone.position);
    rows.push_back(std::move(row));
  }
  return rows;
}

/// What the sweep met in one node.
struct NodeRest {
  std::chrono::seconds met;   // the least remaining life
  std::chrono::seconds left;  // the same among what stays, or of what is signed now
};

/// Marks what is old in a node that the sweep met.
Result<NodeRest> RenewNode(DraftNode& node, const NamespaceSession& home) {
  NodeRest rest{std::chrono::hours(24 * 365), std::min(home.policy.identity.life, home.policy.denial.life)};
  const auto look = [&](const Octets& rrsig, std::chrono::seconds period) -> Result<bool> {
    const auto age = signing::SignatureAge(rrsig, home.now, home.policy.inception_offset);
    const auto left = signing::SignatureRest(rrsig, home.now);
    if (!age) return tl::unexpected(age.error());
    if (!left) return tl::unexpected(left.error());
    rest.met = std::min(rest.met, *left);
    const bool renews = SweepRenews(*age, period);
    if (!renews) rest.left = std::min(rest.left, *left);
    return renews;
  };
  for (dns::RrSet& rrset : node.row.rrsets) {
    // The zone's own RRsets have a timer of their own (RefreshApex); NS at a cut has no signature.
    if (IsApexType(rrset.type)) continue;
    for (const Octets& rrsig : rrset.rrsigs) {
      const auto old = look(rrsig, home.policy.identity.resign);
      if (!old) return tl::unexpected(old.error());
      if (*old) {
        rrset.rrsigs.clear();
        node.data_changed = true;
        break;
      }
    }
  }
  for (const Octets& rrsig : zone::DecodeDenialSignatures(node.row.denial.rrsig)) {
    const auto old = look(rrsig, home.policy.denial.resign);
    if (!old) return tl::unexpected(old.error());
    if (*old) node.denial_changed = true;
  }
  return rest;
}

/// Returns those of the batches that revoke identities: others take keys out, or authorities.
std::vector<std::int64_t> RevokingBatches(const std::vector<store::DesiredIdentity>& identities,
                                          const std::vector<std::int64_t>& first_in_line) {
  std::set<std::int64_t> speaking;
  for (const store::DesiredIdentity& identity : identities) {
    if (!identity.active) speaking.insert(identity.batch_ids.begin(), identity.batch_ids.end());
  }
  std::vector<std::int64_t> revoking;
  for (const std::int64_t batch_id : first_in_line) {
    if (speaking.contains(batch_id)) revoking.push_back(batch_id);
  }
  return revoking;
}

/// Takes the sweep's next step in one zone, if one is due. Returns how many nodes it met.
Result<std::int64_t> TakeSweepStep(store::Transaction& transaction, ZoneSession& zone, std::int64_t nodes_max, WorkOutcome& outcome) {
  const zone::ZonePolicy& policy = zone.home.policy;
  const SweepLimits limits{
      .period = std::min(policy.identity.resign, policy.denial.resign), .node_count = zone.zone.node_count, .nodes_max = nodes_max};
  const auto step = NextSweepStep({zone.zone.resign_key, zone.zone.resign_round}, limits, zone.home.now);
  if (!step) return 0;
  auto rows = store::LoadSweepRange(transaction, zone.zone.zone_id, zone.denial(), {step->after, step->through, nodes_max});
  if (!rows) return tl::unexpected(rows.error());
  const auto met = static_cast<std::int64_t>(rows->size());
  const bool full = met == nodes_max;
  outcome.more = outcome.more || full;
  const Octets last_place = full ? store::SweepPlaceOf(zone.denial(), rows->back()) : Octets();
  for (store::NodeRow& row : *rows) {
    const auto rest = RenewNode(zone.draft.AddLoaded(std::move(row)), zone.home);
    if (!rest) return tl::unexpected(rest.error());
    outcome.least_rest = std::min(outcome.least_rest.value_or(rest->met), rest->met);
    const UnixTime expires = zone.home.now + rest->left;
    zone.zone.expires_behind = std::min(zone.zone.expires_behind.value_or(expires), expires);
  }
  const SweepState next = AfterSweepStep({zone.zone.resign_key, zone.zone.resign_round}, *step, last_place, limits.period, zone.home.now);
  zone.zone.resign_key = next.position;
  zone.zone.resign_round = next.round_start;
  if (next.position.empty()) zone.zone.expires_ahead = std::exchange(zone.zone.expires_behind, std::nullopt);
  return met;
}

}  // namespace

Result<WorkOutcome> PublishChanges(store::Transaction& transaction, const store::ZoneWork& work, const WorkTools& tools) {
  WorkOutcome outcome;
  const auto home = BeginNamespaceSession(transaction, work, tools.keys, tools.now);
  if (!home) return tl::unexpected(home.error());
  outcome.busy = !*home;
  if (outcome.busy) return outcome;
  const auto start = std::chrono::steady_clock::now();
  const auto batches = store::TakeDirtyBatches(transaction, work.registered.namespace_id, tools.batch_max);
  outcome.more = batches.more;
  outcome.identities = batches.identity_count;
  outcome.revoked = !batches.revocation_ids.empty();
  if (batches.batch_ids.empty()) return outcome;

  const auto identities = store::LoadDesired(transaction, work.registered.namespace_id, batches.batch_ids);
  RegistryWishes made = MakeWishes(**home, identities, outcome.refused);
  if (batches.about_authority)
    AddAuthorityWish(**home, store::LoadAuthority(transaction, work.registered.namespace_id), made.wishes, outcome.refused);
  OpenZones zones(**home);
  const auto routed = RouteWishes(transaction, zones, std::move(made.wishes));
  if (!routed) return tl::unexpected(routed.error());
  if (auto planned = PlanChanges(transaction, zones, *routed); !planned) return tl::unexpected(planned.error());
  if (auto apexes = DraftApexes(transaction, zones); !apexes) return tl::unexpected(apexes.error());
  outcome.planning = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
  if (auto published = Publish(transaction, zones, tools, outcome); !published) return tl::unexpected(published.error());
  store::DeleteDirtyBatches(transaction, batches.batch_ids);
  store::InsertBatches(transaction, PlaceBatches(zones, *routed, made, batches.batch_ids));
  // What left its zone just now was last signed at this moment, or by a signer whose clock is a little ahead.
  UnixTime last_signed = tools.now;
  for (const auto& [zone_id, zone] : zones.all()) last_signed = std::max(last_signed, zone.zone.last_signed_at);
  store::InsertQuarantine(transaction, work.registered.namespace_id, RevokingBatches(identities, batches.revocation_ids),
                          last_signed + zone::QuarantineOf((*home)->policy));
  return outcome;
}

Result<WorkOutcome> RenewSignatures(store::Transaction& transaction, const store::ZoneWork& work, const std::vector<std::int32_t>& zone_ids,
                                    const WorkTools& tools) {
  WorkOutcome outcome;
  const auto home = BeginNamespaceSession(transaction, work, tools.keys, tools.now);
  if (!home) return tl::unexpected(home.error());
  outcome.busy = !*home;
  if (outcome.busy) return outcome;
  auto rows = store::LoadZones(transaction, zone_ids);
  if (!rows) return tl::unexpected(rows.error());
  OpenZones zones(**home);
  std::int64_t nodes_left = tools.batch_max;
  std::vector<ZoneSession*> opened;
  for (store::ZoneRow& row : *rows) {
    if (nodes_left == 0) break;  // it is due as before, and comes again
    ZoneSession& zone = zones.Open(std::move(row));
    const auto met = TakeSweepStep(transaction, zone, nodes_left, outcome);
    if (!met) return tl::unexpected(met.error());
    nodes_left -= *met;
    opened.push_back(&zone);
    // The SOA's own signature is renewed by any version; in a zone where nothing else happens, by an empty one.
    zone.soa_due = tools.now - zone.zone.last_signed_at >= zone.home.policy.apex.resign;
    zone.row_moved = true;
  }
  if (auto loaded = LoadFollowed(transaction, zones); !loaded) return tl::unexpected(loaded.error());
  for (ZoneSession* zone : opened) {
    if (nodes_left == 0) break;
    const auto met = TakeKeySweepStep(transaction, *zone, nodes_left);
    if (!met) return tl::unexpected(met.error());
    nodes_left -= *met;
  }
  outcome.more = outcome.more || nodes_left == 0;
  if (auto apexes = DraftApexes(transaction, zones); !apexes) return tl::unexpected(apexes.error());
  if (auto published = Publish(transaction, zones, tools, outcome); !published) return tl::unexpected(published.error());
  return outcome;
}

}  // namespace idzone::signer::pipeline
