// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/publication.h"

#include <algorithm>
#include <set>
#include <span>

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

/// The nodes of all drafts and what is to be signed of them, in one order.
struct Signatures {
  std::vector<signing::SigningJob> jobs;
  std::vector<Octets*> single_places;             // of denial records
  std::vector<std::vector<Octets>*> list_places;  // parallel to single_places; one of the two is null
  std::vector<const DraftNode*> nodes;
  std::vector<std::size_t> ends;  // parallel to nodes: the job behind its last one
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

/// What the signatures of each zone are verified by.
struct Verification {
  std::vector<std::vector<Octets>> dnskeys;
  std::vector<signing::ZoneSigning> zones;
};

Verification VerificationOf(const std::vector<ZoneSession*>& zones) {
  Verification verification{std::vector<std::vector<Octets>>(zones.size()), {}};
  for (std::size_t i = 0; i < zones.size(); ++i) {
    ZoneSession& zone = *zones[i];
    std::vector<Octets>& dnskeys = verification.dnskeys[i];
    for (const dns::RrSet& rrset : zone.draft.Find(zone.KeyOf(zone.apex()))->row.rrsets) {
      if (rrset.type == dns::RrType::kDnskey) dnskeys = rrset.rdatas;
    }
    // A new algorithm signs before its keys are shown, and an old one after its keys went (RFC 6781 §4.1.4).
    for (const keys::ZoneKey& key : zone.keys().all()) {
      if (key.uses.signs_data && !key.uses.in_dnskey) dnskeys.push_back(key.dnskey);
    }
    verification.zones.push_back({zone.apex(), zone.keys(), dnskeys, zone.home.now, zone.home.policy.inception_offset});
  }
  return verification;
}

/// Puts the signatures of jobs first to end - 1 into their places. Returns how many there are.
std::int64_t PlaceSignatures(Signatures& signatures, std::size_t first, std::size_t end) {
  std::int64_t count = 0;
  for (std::size_t i = first; i < end; ++i) {
    std::vector<Octets>& rrsigs = signatures.jobs[i].rrsigs;
    count += static_cast<std::int64_t>(rrsigs.size());
    if (signatures.single_places[i] != nullptr) {
      *signatures.single_places[i] = zone::EncodeDenialSignatures(rrsigs);
    } else {
      *signatures.list_places[i] = std::move(rrsigs);
    }
  }
  return count;
}

/// Writes nodes, one statement for each way in which they changed.
void WriteNodes(store::Transaction& transaction, std::span<const DraftNode* const> nodes) {
  std::vector<const store::NodeRow*> created, rewritten, denied, counted;
  std::vector<store::NodePlace> removed;
  for (const DraftNode* node : nodes) {
    if (node->created) {
      created.push_back(&node->row);
    } else if (node->removed) {
      removed.push_back({node->row.zone_id, node->row.key});
    } else if (node->data_changed || (node->denial_changed && node->child_count_changed)) {
      IDZONE_INVARIANT(node->whole, "only whole nodes are rewritten");
      rewritten.push_back(&node->row);
    } else if (node->denial_changed) {
      denied.push_back(&node->row);
    } else if (node->child_count_changed) {
      counted.push_back(&node->row);
    }
  }
  store::DeleteNodes(transaction, removed);
  store::InsertNodes(transaction, created);
  store::UpdateNodes(transaction, rewritten);
  store::UpdateDenials(transaction, denied);
  store::UpdateChildCounts(transaction, counted);
}

/// Signs the drafts and writes their nodes: while PostgreSQL takes the first ones, the next ones are signed.
Result<void> SignAndWrite(store::Transaction& transaction, const std::vector<ZoneSession*>& zones, const signing::BatchSigner& signer,
                          const std::optional<GiveWay>& gives_way, Publication& publication) {
  const auto start = SteadyClock::now();
  Signatures signatures;
  for (std::size_t i = 0; i < zones.size(); ++i) {
    for (auto& [key, node] : zones[i]->draft.nodes()) {
      if (!node.removed) {
        if (auto collected = CollectNode(*zones[i], i, node, signatures); !collected) return collected;
      }
      zones[i]->zone.node_count += (node.created ? 1 : 0) - (node.removed ? 1 : 0);
      signatures.nodes.push_back(&node);
      signatures.ends.push_back(signatures.jobs.size());
    }
  }
  const Verification verification = VerificationOf(zones);
  std::size_t jobs_placed = 0, nodes_written = 0;
  const auto write = [&](std::size_t signed_jobs) -> Result<void> {
    const bool last = signed_jobs == signatures.jobs.size();
    if (gives_way && !last && store::RevocationWaits(transaction, gives_way->left_alone))
      return Fail(Reason::kCancelled, "transaction", "no revocation meanwhile", "one");
    const auto write_start = SteadyClock::now();
    publication.signatures += PlaceSignatures(signatures, jobs_placed, signed_jobs);
    jobs_placed = signed_jobs;
    const auto end = std::upper_bound(signatures.ends.begin(), signatures.ends.end(), signed_jobs) - signatures.ends.begin();
    const auto count = static_cast<std::size_t>(end) - nodes_written;
    WriteNodes(transaction, std::span(signatures.nodes).subspan(nodes_written, count));
    nodes_written += count;
    publication.writing += Since(write_start);
    return {};
  };
  if (auto made = signer.Sign(verification.zones, signatures.jobs, write); !made) return made;
  IDZONE_INVARIANT(nodes_written == signatures.nodes.size(), "all nodes are written when all is signed");
  publication.signing = Since(start) - publication.writing;
  return {};
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
                                    std::int64_t nodes_max, const std::optional<GiveWay>& gives_way) {
  std::vector<ZoneSession*> moving;
  for (auto& [zone_id, zone] : zones.all()) {
    if (!zone.draft.HasChanges() && !zone.soa_due) continue;
    if (auto checked = CheckClock(zone.zone, zone.home.now); !checked) return tl::unexpected(checked.error());
    SetSerial(zone);
    moving.push_back(&zone);
  }
  Publication publication;
  if (!moving.empty()) {
    if (auto written = SignAndWrite(transaction, moving, signer, gives_way, publication); !written) return tl::unexpected(written.error());
  }

  const auto start = SteadyClock::now();
  std::vector<store::VersionRow> versions;
  for (ZoneSession* zone : moving) {
    versions.push_back(MakeVersion(*zone, publication.nodes));
    publication.largest_delta = std::max(publication.largest_delta, static_cast<std::int64_t>(versions.back().delta.size()));
  }
  publication.versions = static_cast<std::int64_t>(versions.size());
  std::vector<const store::ZoneRow*> rows;
  for (auto& [zone_id, zone] : zones.all()) {
    if (!zone.draft.HasChanges() && !zone.row_moved) continue;
    zone.zone.renew_at = NextRenewal(zone, nodes_max);
    rows.push_back(&zone.zone);
  }
  store::InsertVersions(transaction, versions);
  store::UpdateZones(transaction, rows);
  RecordFollowed(transaction, zones);
  publication.writing += Since(start);
  return publication;
}

}  // namespace idzone::signer::pipeline
