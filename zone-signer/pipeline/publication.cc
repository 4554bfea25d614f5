// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/publication.h"

#include <algorithm>
#include <set>

#include "services/core/zone/denial_signatures.h"
#include "zone-signer/pipeline/apex.h"
#include "zone-signer/pipeline/key_sweep.h"
#include "zone-signer/pipeline/sweep.h"

namespace idzone::signer::pipeline {
namespace {

using SteadyClock = std::chrono::steady_clock;

std::chrono::microseconds Since(SteadyClock::time_point start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - start);
}

/// Where each signature belongs: the order of the jobs is the order of the places.
struct Signatures {
  std::vector<signing::SigningJob> jobs;
  std::vector<Octets*> single_places;             // of denial records
  std::vector<std::vector<Octets>*> list_places;  // parallel to single_places; one of the two is null
};

Result<void> CollectNode(const ZoneSession& zone, std::size_t zone_index, DraftNode& node, Signatures& out) {
  const zone::ZonePolicy& policy = zone.home.policy;
  const auto add = [&](signing::SigningJob job, Octets* single, std::vector<Octets>* list) {
    job.zone = zone_index;
    out.jobs.push_back(std::move(job));
    out.single_places.push_back(single);
    out.list_places.push_back(list);
  };
  if (node.data_changed) {
    for (dns::RrSet& rrset : node.row.rrsets) {
      // RFC 4035 §2.2: "the NS RRset that appears at delegation points … MUST NOT be signed".
      const bool at_cut = rrset.type == dns::RrType::kNs && node.row.owner != zone.apex();
      if (at_cut || !rrset.rrsigs.empty()) continue;
      const auto life = IsApexType(rrset.type) ? policy.apex.life : policy.identity.life;
      add({.owner = node.row.owner, .type = rrset.type, .ttl = rrset.ttl, .rdatas = rrset.rdatas, .life = life, .rrsigs = {}}, nullptr,
          &rrset.rrsigs);
    }
  }
  if (node.denial_changed) {
    auto record = dns::MakeDenialRecord(zone.denial(), zone.apex(), node.row.key, node.row.denial.next, node.types);
    if (!record) return tl::unexpected(record.error());
    // RFC 9077: the TTL of NSEC and NSEC3 records is the lesser of the SOA's TTL and its MINIMUM; both are negative_ttl here.
    add({.owner = std::move(record->owner),
         .type = record->type,
         .ttl = policy.negative_ttl,
         .rdatas = {std::move(record->rdata)},
         .life = policy.denial.life,
         .rrsigs = {}},
        &node.row.denial.rrsig, nullptr);
  }
  return {};
}

Result<std::int64_t> SignDrafts(const NamespaceSession& home, const std::vector<ZoneSession*>& zones, const signing::BatchSigner& signer) {
  Signatures signatures;
  std::vector<std::vector<Octets>> dnskeys(zones.size());
  std::vector<signing::ZoneSigning> signings;
  for (std::size_t i = 0; i < zones.size(); ++i) {
    ZoneSession& zone = *zones[i];
    for (auto& [key, node] : zone.draft.nodes()) {
      if (node.removed) continue;
      if (auto collected = CollectNode(zone, i, node, signatures); !collected) return tl::unexpected(collected.error());
    }
    for (const dns::RrSet& rrset : zone.draft.Find(zone.KeyOf(zone.apex()))->row.rrsets) {
      if (rrset.type == dns::RrType::kDnskey) dnskeys[i] = rrset.rdatas;
    }
    // A new algorithm signs before its keys are shown, and an old one after its keys went (RFC 6781 §4.1.4).
    for (const keys::ZoneKey& key : home.keys.all()) {
      if (key.uses.signs_data && !key.uses.in_dnskey) dnskeys[i].push_back(key.dnskey);
    }
    signings.push_back({zone.apex(), home.keys, dnskeys[i], home.now, home.policy.inception_offset});
  }
  if (auto made = signer.Sign(signings, signatures.jobs); !made) return tl::unexpected(made.error());
  std::int64_t made_count = 0;
  for (std::size_t i = 0; i < signatures.jobs.size(); ++i) {
    std::vector<Octets>& rrsigs = signatures.jobs[i].rrsigs;
    made_count += static_cast<std::int64_t>(rrsigs.size());
    if (signatures.single_places[i] != nullptr) {
      *signatures.single_places[i] = zone::EncodeDenialSignatures(rrsigs);
    } else {
      *signatures.list_places[i] = std::move(rrsigs);
    }
  }
  return made_count;
}

/// Writes the nodes of all zones, one statement for each way in which they changed.
void WriteNodes(store::Transaction& transaction, const std::vector<ZoneSession*>& zones) {
  std::vector<const store::NodeRow*> created, rewritten, denied, counted;
  std::vector<store::NodePlace> removed;
  for (ZoneSession* zone : zones) {
    for (const auto& [key, node] : zone->draft.nodes()) {
      if (node.created) {
        created.push_back(&node.row);
        ++zone->zone.node_count;
      } else if (node.removed) {
        removed.push_back({zone->zone.zone_id, key});
        --zone->zone.node_count;
      } else if (node.data_changed || (node.denial_changed && node.child_count_changed)) {
        IDZONE_INVARIANT(node.whole, "only whole nodes are rewritten");
        rewritten.push_back(&node.row);
      } else if (node.denial_changed) {
        denied.push_back(&node.row);
      } else if (node.child_count_changed) {
        counted.push_back(&node.row);
      }
    }
  }
  store::DeleteNodes(transaction, removed);
  store::InsertNodes(transaction, created);
  store::UpdateNodes(transaction, rewritten);
  store::UpdateDenials(transaction, denied);
  store::UpdateChildCounts(transaction, counted);
}

std::vector<dns::RrType> TypesOf(const std::vector<zone::NodeChange>& delta) {
  std::set<dns::RrType> types;
  for (const zone::NodeChange& change : delta) {
    if (!change.data) continue;
    for (const dns::RrSet& rrset : change.data->rrsets) types.insert(rrset.type);
  }
  return {types.begin(), types.end()};
}

/// Gives the draft its serial: the SOA of the version that it will be.
void SetSerial(ZoneSession& zone) {
  DraftNode* apex = zone.draft.Find(zone.KeyOf(zone.apex()));
  IDZONE_INVARIANT(apex != nullptr && apex->whole, "the apex is in every draft");
  const dns::Serial serial = zone.is_first ? zone.zone.position.serial : dns::NextSerial(zone.zone.position.serial);
  for (const dns::RrSet& rrset : ApexOf(zone, serial)) {
    if (rrset.type == dns::RrType::kSoa) VersionDraft::SetRrSet(*apex, rrset.type, &rrset);
  }
}

/// Makes the version of a signed draft and moves the zone to it.
store::VersionRow MakeVersion(ZoneSession& zone, std::int64_t& nodes) {
  const zone::ZonePosition previous =
      zone.is_first ? zone::ZonePosition{zone.zone.position.epoch, 0, Octets(32, '\0')} : zone.zone.position;
  const dns::Serial serial = zone.is_first ? zone.zone.position.serial : dns::NextSerial(previous.serial);
  const auto changes = MakeDelta(zone.draft);
  nodes += static_cast<std::int64_t>(changes.size());
  store::VersionRow version;
  version.zone_id = zone.zone.zone_id;
  version.delta = zone::EncodeDelta(changes);
  version.types = TypesOf(changes);
  version.previous_serial = previous.serial;
  version.previous_digest = previous.digest;
  version.position = {previous.epoch, serial, zone::VersionDigest(previous.digest, previous.epoch, serial, version.delta)};
  zone.zone.position = version.position;
  zone.zone.last_signed_at = std::max(zone.zone.last_signed_at, zone.home.now);
  return version;
}

UnixTime NextRenewal(const ZoneSession& zone, std::int64_t nodes_max) {
  const zone::ZonePolicy& policy = zone.home.policy;
  const SweepLimits limits{std::min(policy.identity.resign, policy.denial.resign), zone.zone.node_count, nodes_max};
  const UnixTime sweep = NextSweepTime({zone.zone.resign_key, zone.zone.resign_round}, limits);
  return std::min({zone.apex_due, zone.zone.last_signed_at + policy.apex.resign, sweep, NextKeySweepTime(zone, nodes_max)});
}

}  // namespace

Result<Publication> PublishVersions(store::Transaction& transaction, OpenZones& zones, const signing::BatchSigner& signer,
                                    std::int64_t nodes_max) {
  std::vector<ZoneSession*> moving;
  for (auto& [zone_id, zone] : zones.all()) {
    if (!zone.draft.HasChanges() && !zone.soa_due) continue;
    if (auto checked = CheckClock(zone.zone, zone.home.now); !checked) return tl::unexpected(checked.error());
    SetSerial(zone);
    moving.push_back(&zone);
  }
  Publication publication;
  auto start = SteadyClock::now();
  if (!moving.empty()) {
    auto signatures = SignDrafts(zones.home(), moving, signer);
    if (!signatures) return tl::unexpected(signatures.error());
    publication.signatures = *signatures;
  }
  publication.signing = Since(start);

  start = SteadyClock::now();
  std::vector<store::VersionRow> versions;
  for (ZoneSession* zone : moving) versions.push_back(MakeVersion(*zone, publication.nodes));
  publication.versions = static_cast<std::int64_t>(versions.size());
  WriteNodes(transaction, moving);
  std::vector<const store::ZoneRow*> rows;
  for (auto& [zone_id, zone] : zones.all()) {
    if (!zone.draft.HasChanges() && !zone.row_moved) continue;
    zone.zone.renew_at = NextRenewal(zone, nodes_max);
    rows.push_back(&zone.zone);
  }
  store::InsertVersions(transaction, versions);
  store::UpdateZones(transaction, rows);
  RecordFollowed(transaction, zones);
  publication.writing = Since(start);
  return publication;
}

}  // namespace idzone::signer::pipeline
