// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/publication.h"

#include <algorithm>
#include <set>

#include "zone-signer/pipeline/apex.h"

namespace idzone::signer::pipeline {
namespace {

using SteadyClock = std::chrono::steady_clock;

std::chrono::microseconds Since(SteadyClock::time_point start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - start);
}

/// Where each signature belongs: the order of the jobs is the order of the places.
struct Signatures {
  std::vector<signing::SigningJob> jobs;
  std::vector<Octets*> single_places;
  std::vector<std::vector<Octets>*> list_places;  // parallel to single_places; one of the two is null
};

Result<void> CollectNode(const ZoneSession& session, DraftNode& node, Signatures& out) {
  const auto add = [&](signing::SigningJob job, Octets* single, std::vector<Octets>* list) {
    out.jobs.push_back(std::move(job));
    out.single_places.push_back(single);
    out.list_places.push_back(list);
  };
  if (node.data_changed) {
    for (dns::RrSet& rrset : node.row.rrsets) {
      if (!rrset.rrsigs.empty()) continue;
      const auto life = IsApexType(rrset.type) ? session.policy.apex.life : session.policy.identity.life;
      add({.owner = node.row.owner, .type = rrset.type, .ttl = rrset.ttl, .rdatas = rrset.rdatas, .life = life, .rrsig = {}}, nullptr,
          &rrset.rrsigs);
    }
  }
  if (node.denial_changed) {
    auto record = dns::MakeDenialRecord(session.denial(), session.apex(), node.row.key, node.row.denial.next, node.types);
    if (!record) return tl::unexpected(record.error());
    // RFC 9077: the TTL of NSEC and NSEC3 records is the lesser of the SOA's TTL and its MINIMUM; both are negative_ttl here.
    add({.owner = std::move(record->owner),
         .type = record->type,
         .ttl = session.policy.negative_ttl,
         .rdatas = {std::move(record->rdata)},
         .life = session.policy.denial.life,
         .rrsig = {}},
        &node.row.denial.rrsig, nullptr);
  }
  return {};
}

Result<std::int64_t> SignDraft(ZoneSession& session, VersionDraft& draft, const std::vector<Octets>& published_dnskeys,
                               const signing::BatchSigner& signer) {
  Signatures signatures;
  for (auto& [key, node] : draft.nodes()) {
    if (node.removed) continue;
    if (auto collected = CollectNode(session, node, signatures); !collected) return tl::unexpected(collected.error());
  }
  const signing::ZoneSigning zone{session.apex(), session.key, published_dnskeys, session.now, session.policy.inception_offset};
  if (auto made = signer.Sign(zone, signatures.jobs); !made) return tl::unexpected(made.error());
  for (std::size_t i = 0; i < signatures.jobs.size(); ++i) {
    Octets& rrsig = signatures.jobs[i].rrsig;
    if (signatures.single_places[i] != nullptr) {
      *signatures.single_places[i] = std::move(rrsig);
    } else {
      signatures.list_places[i]->assign(1, std::move(rrsig));
    }
  }
  return static_cast<std::int64_t>(signatures.jobs.size());
}

/// Writes the nodes, one statement for each way in which they changed.
void WriteNodes(store::Transaction& transaction, store::ZoneRow& zone, const VersionDraft& draft) {
  std::vector<const store::NodeRow*> created, rewritten, denied, counted;
  std::vector<dns::DenialKey> removed;
  for (const auto& [key, node] : draft.nodes()) {
    if (node.created) {
      created.push_back(&node.row);
    } else if (node.removed) {
      removed.push_back(key);
    } else if (node.data_changed || (node.denial_changed && node.child_count_changed)) {
      IDZONE_INVARIANT(node.whole, "only whole nodes are rewritten");
      rewritten.push_back(&node.row);
    } else if (node.denial_changed) {
      denied.push_back(&node.row);
    } else if (node.child_count_changed) {
      counted.push_back(&node.row);
    }
  }
  store::DeleteNodes(transaction, zone.zone_id, removed);
  store::InsertNodes(transaction, zone.zone_id, created);
  store::UpdateNodes(transaction, zone.zone_id, rewritten);
  store::UpdateDenials(transaction, zone.zone_id, denied);
  store::UpdateChildCounts(transaction, zone.zone_id, counted);
  zone.node_count += static_cast<std::int64_t>(created.size()) - static_cast<std::int64_t>(removed.size());
}

std::vector<dns::RrType> TypesOf(const std::vector<zone::NodeChange>& delta) {
  std::set<dns::RrType> types;
  for (const zone::NodeChange& change : delta) {
    if (!change.data) continue;
    for (const dns::RrSet& rrset : change.data->rrsets) types.insert(rrset.type);
  }
  return {types.begin(), types.end()};
}

}  // namespace

Result<Publication> PublishVersion(store::Transaction& transaction, ZoneSession& session, VersionDraft& draft,
                                   const signing::BatchSigner& signer, bool first) {
  const zone::ZonePosition previous = first ? zone::ZonePosition{session.zone.position.epoch, 0, Octets(32, '\0')} : session.zone.position;
  DraftNode* apex = draft.Find(session.KeyOf(session.apex()));
  IDZONE_INVARIANT(apex != nullptr && apex->whole, "the apex is in every draft");
  const dns::Serial serial = first ? session.zone.position.serial : dns::NextSerial(previous.serial);
  std::vector<Octets> published_dnskeys;
  for (const dns::RrSet& rrset : DesiredApex(session.registered, session.policy, session.key.dnskey(), serial)) {
    if (rrset.type == dns::RrType::kSoa) VersionDraft::SetRrSet(*apex, rrset.type, &rrset);
  }
  for (const dns::RrSet& rrset : apex->row.rrsets) {
    if (rrset.type == dns::RrType::kDnskey) published_dnskeys = rrset.rdatas;
  }

  Publication publication;
  auto start = SteadyClock::now();
  auto signatures = SignDraft(session, draft, published_dnskeys, signer);
  if (!signatures) return tl::unexpected(signatures.error());
  publication.signatures = *signatures;
  publication.signing = Since(start);

  start = SteadyClock::now();
  const auto changes = MakeDelta(draft);
  store::VersionRow version;
  version.delta = zone::EncodeDelta(changes);
  version.types = TypesOf(changes);
  version.previous_serial = previous.serial;
  version.previous_digest = previous.digest;
  version.position = {previous.epoch, serial, zone::VersionDigest(previous.digest, previous.epoch, serial, version.delta)};
  session.zone.position = version.position;
  session.zone.last_signed_at = std::max(session.zone.last_signed_at, session.now);
  WriteNodes(transaction, session.zone, draft);
  store::InsertVersion(transaction, session.zone.zone_id, version);
  store::UpdateZone(transaction, session.zone);
  publication.writing = Since(start);
  return publication;
}

}  // namespace idzone::signer::pipeline
