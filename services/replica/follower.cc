// SPDX-License-Identifier: MIT
#include "services/replica/follower.h"

#include <algorithm>

#include "idzone/feed/v1/feed_service.pb.h"
#include "services/core/dns/denial.h"
#include "services/process/log.h"
#include "services/replica/follower_message.h"
#include "services/replica/follower_metrics.h"

namespace idzone::replica {
namespace {

using process::LogLevel;

constexpr std::uint32_t kFeedFormatVersion = 2;

/// Says whether the writer refused the data, or its own damaged copy of it, so that a snapshot helps.
bool SnapshotHelps(Reason reason) {
  return reason == Reason::kDigestMismatch || reason == Reason::kVersionGap || reason == Reason::kEncodingMalformed ||
         reason == Reason::kRecordTypeForbidden;
}

const dns::RrSet* FindType(const std::vector<dns::RrSet>& rrsets, dns::RrType type) {
  const auto found = std::find_if(rrsets.begin(), rrsets.end(), [&](const dns::RrSet& rrset) { return rrset.type == type; });
  return found == rrsets.end() ? nullptr : &*found;
}

tl::unexpected<Error> Torn(const dns::Name& zone, std::string expected, std::string met) {
  return Fail(Reason::kVersionGap, "snapshot of " + zone.Format(), std::move(expected), std::move(met));
}

}  // namespace

Follower::Follower(ReplicaWriter& writer, FollowerOptions options, const Clock& clock, FollowerMetrics* metrics)
    : writer_(writer), options_(std::move(options)), clock_(clock), metrics_(metrics) {}

template <typename T>
Result<T> Follower::Written(Result<T> result) {
  if (!result && !SnapshotHelps(result.error().reason)) broken_ = result.error();
  return result;
}

Result<std::vector<feed::v1::FollowRequest>> Follower::Begin() {
  broken_.reset();
  refused_.clear();
  current_ = false;
  caught_up_ = false;
  behind_ = false;
  if (snapshot_) {
    const dns::Name zone = snapshot_->zone;
    snapshot_.reset();
    if (auto abandoned = writer_.AbandonSnapshot(zone); !abandoned) return tl::unexpected(abandoned.error());
  }
  while (!waiting_.empty()) {
    if (auto dropped = Drop(dns::Name(waiting_.first())); !dropped) return tl::unexpected(dropped.error());
  }
  auto zones = writer_.Zones();
  if (!zones) return tl::unexpected(zones.error());
  std::vector<feed::v1::FollowRequest> hellos;
  const auto add_hello = [&] { hellos.emplace_back().mutable_hello()->set_format_version(kFeedFormatVersion); };
  add_hello();
  for (const ZoneState& state : *zones) {
    if (state.position.digest.empty()) continue;
    if (hellos.back().hello().positions_size() == options_.positions_per_hello) {
      hellos.back().mutable_hello()->set_more(true);
      add_hello();
    }
    ToProto(state.zone, state.position, hellos.back().mutable_hello()->add_positions());
  }
  return hellos;
}

Result<feed::v1::FollowRequest> Follower::Answer(const feed::v1::FollowResponse& message) {
  feed::v1::FollowRequest request;
  auto* applied = request.mutable_applied();
  if (message.has_heartbeat()) {
    behind_ = message.heartbeat().behind();
    if (behind_) return request;
    caught_up_ = caught_up_ || !snapshot_;
    current_ = current_ || (refused_.empty() && !snapshot_ && waiting_.empty());
    return request;
  }
  const Octets& wire = ZoneOf(message);
  const auto zone = dns::Name::FromWire(wire, "zone");
  if (!zone) return Refuse(wire, zone.error());
  const bool is_version = message.has_version() || message.has_versions();
  const bool starts_again = message.has_snapshot_begin();
  if (refused_.contains(*zone) && !starts_again && !is_version) return request;

  to_blame_ = *zone;
  const Effect effect = Dispatch(*zone, message);
  if (broken_) {
    if (metrics_ != nullptr) metrics_->CountDiskFailure();
    return tl::unexpected(*broken_);
  }
  if (!effect) {
    if (auto dropped = Drop(*zone); !dropped) return tl::unexpected(dropped.error());
    refused_.insert(*zone);
    // Those that came together go together: the server sends a snapshot of each.
    for (const auto* version : VersionsOf(message)) {
      if (auto other = dns::Name::FromWire(version->position().zone())) refused_.insert(*std::move(other));
    }
    if (metrics_ != nullptr) metrics_->SetRefusedZones(refused_.size());
    return Refuse(to_blame_->wire(), effect.error());
  }
  for (const auto& [reached, position] : *effect) {
    refused_.erase(reached);
    held_back_.erase(reached);
    ToProto(reached, position, reached == *zone ? applied->mutable_position() : applied->add_others());
  }
  if (!effect->empty() && metrics_ != nullptr) {
    metrics_->SetRefusedZones(refused_.size());
    metrics_->SetHeldBackZones(held_back_.size());
  }
  return request;
}

/// Forgets what is half done of a zone.
Result<void> Follower::Drop(dns::Name zone) {
  if (snapshot_ && snapshot_->zone == zone) snapshot_.reset();
  waiting_.Forget(zone);
  return writer_.AbandonSnapshot(zone);
}

Follower::Effect Follower::Dispatch(const dns::Name& zone, const feed::v1::FollowResponse& message) {
  switch (message.message_case()) {
    case feed::v1::FollowResponse::kVersion:
    case feed::v1::FollowResponse::kVersions: return ApplyVersions(VersionsOf(message));
    case feed::v1::FollowResponse::kSnapshotBegin: return ApplyBegin(zone, message.snapshot_begin());
    case feed::v1::FollowResponse::kSnapshotNodes: return ApplyNodes(zone, message.snapshot_nodes());
    case feed::v1::FollowResponse::kSnapshotEnd: return ApplyEnd(zone);
    case feed::v1::FollowResponse::kHeartbeat:
    case feed::v1::FollowResponse::MESSAGE_NOT_SET: break;
  }
  return Fail(Reason::kUnknownField, "message", "one that this release knows", "another");
}

feed::v1::FollowRequest Follower::Refuse(const Octets& zone_wire, const Error& error) {
  const auto zone = dns::Name::FromWire(zone_wire);
  process::LogError(LogLevel::kError, "replica.refused", error, {{"zone", zone ? zone->Format() : HexEncode(zone_wire)}});
  if (metrics_ != nullptr) metrics_->CountRefusal(ReasonName(error.reason));
  feed::v1::FollowRequest request;
  auto* refusal = request.mutable_refusal();
  refusal->set_zone(zone_wire);
  refusal->set_reason(std::string(ReasonName(error.reason)));
  refusal->set_detail(error.Detail());
  return request;
}

std::vector<Octets> Follower::NewPins(const dns::Name& zone, const std::vector<dns::RrSet>& apex, const std::vector<Octets>& kept) const {
  if (options_.verify == VerifyMode::kNone) return {};
  std::vector<Octets> pins = PinsToKeep(options_.anchors, zone, apex);
  return pins == kept ? std::vector<Octets>() : pins;
}

void Follower::LogPins(const dns::Name& zone, const std::vector<Octets>& kept, const std::vector<Octets>& pins) {
  for (const Octets& pin : pins) {
    if (std::find(kept.begin(), kept.end(), pin) != kept.end()) continue;
    process::Log(LogLevel::kWarning, "replica.key_pinned",
                 {{"zone", zone.Format()}, {"ds", HexEncode(pin)}, {"trust", kept.empty() ? "first use" : "by a pinned key"}});
  }
}

Result<Follower::Trust> Follower::TrustFor(const dns::Name& zone, const std::vector<Octets>& kept) const {
  Trust trust{TrustedPins(options_.anchors, zone, kept), true};
  // The closest zone above says by DS which keys the zone has. It was verified itself when it was written.
  for (dns::Name above = zone; trust.pins.empty() && !above.IsRoot();) {
    above = above.Parent();
    const auto parent = writer_.FindZone(above);
    if (!parent) return tl::unexpected(parent.error());
    if (!*parent || (*parent)->position.digest.empty()) continue;
    const auto node = writer_.ReadNode(above, dns::DenialKeyOf((*parent)->denial, zone, above));
    if (!node) return tl::unexpected(node.error());
    const dns::RrSet* delegation = *node ? (*node)->Find(dns::RrType::kDs) : nullptr;
    if (delegation != nullptr) trust = {delegation->rdatas, false};
    break;
  }
  return trust;
}

void Follower::Release(const std::vector<dns::Name>& children, Reached& reached) {
  for (const dns::Name& child : children) {
    const WaitingChildren::Child taken = waiting_.Take(child);
    reached.emplace_back(child, taken.position);
    process::Log(LogLevel::kInfo, "replica.child_applied", {{"zone", child.Format()}, {"parent", taken.parent.Format()}});
    if (metrics_ != nullptr) metrics_->CountSnapshot(clock_.Now());
  }
}

void Follower::NoteFork(const dns::Name& zone, const zone::ZonePosition& held, const feed::v1::FollowResponse_Version& message) {
  const zone::Epoch epoch = message.position().epoch();
  if (IsFork(held, epoch, message.previous_serial(), message.previous_digest())) forked_[zone] = epoch;
}

Result<VersionWrite> Follower::Judge(const dns::Name& zone, const feed::v1::FollowResponse_Version& message, bool is_first) {
  const auto position = FromProto(message.position());
  if (!position) return tl::unexpected(position.error());
  const auto own = Written(writer_.FindZone(zone));
  if (!own) return tl::unexpected(own.error());
  if (!*own) return Fail(Reason::kVersionGap, "zone " + zone.Format(), "a snapshot of a zone that is not held", "a version");
  const FedVersion version{*position, message.previous_serial(), message.previous_digest(), message.delta()};
  const FedZone fed{zone, (*own)->denial};
  NoteFork(zone, (*own)->position, message);
  auto changes = CheckChain(fed, (*own)->position, version);
  if (!changes) return tl::unexpected(changes.error());

  const dns::DenialKey apex_key = dns::DenialKeyOf(fed.denial, zone, zone);
  const auto apex = std::find_if(changes->begin(), changes->end(), [&](const zone::NodeChange& change) { return change.key == apex_key; });
  if (apex == changes->end() || !apex->data)
    return Fail(Reason::kVersionGap, "version of " + zone.Format(), "an apex with the new SOA", "none");
  const auto trust = Written(TrustFor(zone, (*own)->pins));
  if (!trust) return tl::unexpected(trust.error());
  auto judge = CheckApex(fed, apex->data->rrsets, position->serial, trust->pins, options_.verify, clock_.Now(), keys_);
  if (!judge) return tl::unexpected(judge.error());
  // A message of many zones brings as many SOAs, a signature for a few names each.
  judge->samples_soa = !is_first;
  const auto read = [&](const dns::DenialKey& key) { return writer_.ReadNode(zone, key); };
  if (auto same = CheckSameNegativeTtl(*judge, read); !same) return tl::unexpected(same.error());
  if (auto checked = CheckChanges(*judge, *changes, read); !checked) return tl::unexpected(checked.error());
  const std::vector<Octets> pins = trust->own ? NewPins(zone, apex->data->rrsets, (*own)->pins) : std::vector<Octets>();
  LogPins(zone, (*own)->pins, pins);
  return VersionWrite{zone, (*own)->position, *position, *std::move(changes), pins};
}

Follower::Effect Follower::ApplyVersions(const std::vector<const feed::v1::FollowResponse_Version*>& messages) {
  std::vector<VersionWrite> writes;
  std::set<dns::Name> zones;
  for (const auto* message : messages) {
    auto zone = dns::Name::FromWire(message->position().zone(), "zone");
    if (!zone) return tl::unexpected(zone.error());
    if (refused_.contains(*zone)) {
      const auto own = Written(writer_.FindZone(*zone));
      if (!own) return tl::unexpected(own.error());
      if (*own) NoteFork(*zone, (*own)->position, *message);
      continue;
    }
    to_blame_ = *zone;
    if (!zones.insert(*zone).second) return Fail(Reason::kVersionGap, "versions of " + zone->Format(), "one at a time", "two");
    auto write = Judge(*zone, *message, writes.empty());
    if (!write) return tl::unexpected(write.error());
    writes.push_back(*std::move(write));
  }
  Reached reached;
  if (writes.empty()) return reached;

  std::vector<dns::Name> children;
  for (const VersionWrite& write : writes) {
    if (waiting_.empty()) break;
    std::map<dns::Name, const std::vector<Octets>*> delegations;
    for (const zone::NodeChange& change : write.changes) {
      const dns::RrSet* delegation = change.data ? FindType(change.data->rrsets, dns::RrType::kDs) : nullptr;
      if (delegation != nullptr) delegations.emplace(change.data->owner, &delegation->rdatas);
    }
    const auto delegation_of = [&](const dns::Name& child) {
      const auto found = delegations.find(child);
      return found == delegations.end() ? nullptr : found->second;
    };
    const auto released = waiting_.ReadyBelow(write.zone, delegation_of, clock_.Now());
    children.insert(children.end(), released.begin(), released.end());
  }
  if (auto written = Written(writer_.ApplyVersions(writes, children)); !written) return tl::unexpected(written.error());
  for (const VersionWrite& write : writes) {
    reached.emplace_back(write.zone, write.next);
    process::Log(LogLevel::kDebug, "replica.version_applied",
                 {{"zone", write.zone.Format()}, {"serial", write.next.serial}, {"changes", write.changes.size()}});
    if (metrics_ != nullptr) metrics_->CountVersion(write.changes.size(), clock_.Now());
  }
  Release(children, reached);
  return reached;
}

/// What only an operator may allow.
Result<void> Follower::CheckPast(const dns::Name& zone, const zone::ZonePosition& held, const zone::ZonePosition& offered,
                                 std::uint64_t nodes) {
  Result<void> checked = CheckHistory(zone, held, offered);
  // What is published on top of it is of that history, too.
  if (!checked && checked.error().reason == Reason::kDigestMismatch) forked_[zone] = offered.epoch;
  if (const auto forked = forked_.find(zone); checked && forked != forked_.end() && offered.epoch <= forked->second)
    checked = Fail(Reason::kDigestMismatch, "snapshot of " + zone.Format(), "the history that is held, or an epoch after it",
                   "another history of epoch " + std::to_string(offered.epoch));
  if (checked) {
    const auto count = Written(writer_.CountNodes(zone));
    if (!count) return tl::unexpected(count.error());
    checked = CheckShrink(zone, *count, nodes, options_.shrink);
  }
  if (checked) return checked;
  if (options_.accept.Names(zone)) {
    process::LogError(LogLevel::kWarning, "replica.accepted_by_operator", checked.error(), {{"zone", zone.Format()}});
    return {};
  }
  HoldBack(zone, checked.error());
  return checked;
}

void Follower::HoldBack(const dns::Name& zone, const Error& error) {
  process::LogError(LogLevel::kError, "replica.held_back", error, {{"zone", zone.Format()}, {"accept_file", options_.accept.path()}});
  held_back_[zone] = error.Detail();
  if (metrics_ != nullptr) metrics_->SetHeldBackZones(held_back_.size());
}

Follower::Effect Follower::ApplyBegin(const dns::Name& zone, const feed::v1::FollowResponse_SnapshotBegin& message) {
  // The one before was left by the server.
  if (snapshot_) {
    if (auto dropped = Written(Drop(snapshot_->zone)); !dropped) return tl::unexpected(dropped.error());
  }
  waiting_.Forget(zone);
  const auto position = FromProto(message.position());
  if (!position) return tl::unexpected(position.error());
  const auto own = Written(writer_.FindZone(zone));
  if (!own) return tl::unexpected(own.error());
  zone::ZonePosition held = *own ? (*own)->position : zone::ZonePosition{};
  if (const auto floor = options_.floors.find(zone); held.digest.empty() && floor != options_.floors.end()) held = floor->second;
  if (auto past = CheckPast(zone, held, *position, message.node_count()); !past) return tl::unexpected(past.error());
  const auto denial = DenialOf(message);
  if (!denial) return tl::unexpected(denial.error());
  auto nodes = zone::DecodeDelta(message.apex(), zone, *denial);
  if (!nodes) return tl::unexpected(nodes.error());
  if (nodes->size() != 1 || !nodes->front().data || nodes->front().data->owner != zone)
    return Torn(zone, "the apex first", "something else");

  Snapshot snapshot{.zone = zone,
                    .position = *position,
                    .node_count = message.node_count(),
                    .nodes_seen = 0,
                    .apex = {},
                    .judge = {},
                    .new_pins = {},
                    .parent = {},
                    .delegations = {}};
  snapshot.apex = std::move(nodes->front());
  const std::vector<Octets> kept = *own ? (*own)->pins : std::vector<Octets>();
  auto trust = Written(TrustFor(zone, kept));
  if (!trust) return tl::unexpected(trust.error());
  if (trust->pins.empty() && !message.parent().empty()) {
    auto parent = dns::Name::FromWire(message.parent(), "snapshot_begin.parent");
    if (!parent) return tl::unexpected(parent.error());
    if (*parent == zone || !zone.IsAtOrBelow(*parent))
      return Fail(Reason::kNameOutsideSuffix, "snapshot_begin.parent", "a zone above " + zone.Format(), parent->Format());
    snapshot.parent = *std::move(parent);
    // Its own keys judge it, and the parent judges these before anything of it is served.
    const dns::RrSet* dnskeys = FindType(snapshot.apex.data->rrsets, dns::RrType::kDnskey);
    if (dnskeys != nullptr) *trust = {PinsOf(zone, *dnskeys), false};
  } else if (!options_.anchors && trust->pins.empty()) {
    trust->pins = PinsToKeep(options_.anchors, zone, snapshot.apex.data->rrsets);
  }
  auto judge = CheckApex({zone, *denial}, snapshot.apex.data->rrsets, position->serial, trust->pins, options_.verify, clock_.Now(), keys_);
  if (!judge) return tl::unexpected(judge.error());
  snapshot.judge = std::move(*judge);
  if (trust->own) snapshot.new_pins = NewPins(zone, snapshot.apex.data->rrsets, kept);
  if (auto begun = Written(writer_.BeginSnapshot(zone, *position, *denial)); !begun) return tl::unexpected(begun.error());
  snapshot_ = std::move(snapshot);
  // What follows belongs to the snapshot; the zone counts as refused until it is whole.
  refused_.erase(zone);
  return Reached();
}

Follower::Effect Follower::ApplyNodes(const dns::Name& zone, const feed::v1::FollowResponse_SnapshotNodes& message) {
  if (!snapshot_ || snapshot_->zone != zone) return Torn(zone, "a beginning before its nodes", "none");
  const auto nodes = zone::DecodeDelta(message.nodes(), zone, snapshot_->judge.zone.denial);
  if (!nodes) return tl::unexpected(nodes.error());
  for (const zone::NodeChange& node : *nodes) {
    if (node.key == snapshot_->apex.key && node != snapshot_->apex) return Torn(zone, "the apex that was announced", "another");
    const dns::RrSet* delegation =
        node.data && waiting_.Contains(node.data->owner) ? FindType(node.data->rrsets, dns::RrType::kDs) : nullptr;
    if (delegation != nullptr) snapshot_->delegations[node.data->owner] = delegation->rdatas;
  }
  snapshot_->nodes_seen += nodes->size();
  if (snapshot_->nodes_seen > snapshot_->node_count) return Torn(zone, std::to_string(snapshot_->node_count) + " nodes", "more");
  snapshot_->judge.now = clock_.Now();
  if (auto checked = CheckNodes(snapshot_->judge, *nodes); !checked) return tl::unexpected(checked.error());
  if (auto added = Written(writer_.AddNodes(zone, *nodes)); !added) return tl::unexpected(added.error());
  return Reached();
}

Follower::Effect Follower::ApplyEnd(const dns::Name& zone) {
  if (!snapshot_ || snapshot_->zone != zone) return Torn(zone, "a beginning before its end", "none");
  if (snapshot_->nodes_seen != snapshot_->node_count)
    return Torn(zone, std::to_string(snapshot_->node_count) + " nodes", std::to_string(snapshot_->nodes_seen));
  const auto own = Written(writer_.FindZone(zone));
  if (!own) return tl::unexpected(own.error());
  Reached reached;
  if (snapshot_->parent) {
    const dns::RrSet* dnskeys = FindType(snapshot_->apex.data->rrsets, dns::RrType::kDnskey);
    IDZONE_INVARIANT(dnskeys != nullptr, "CheckApex refuses an apex without DNSKEY");
    waiting_.Keep(zone, {*snapshot_->parent, snapshot_->position, *dnskeys, snapshot_->delegations});
    snapshot_.reset();
    return reached;
  }
  const auto delegation_of = [&](const dns::Name& child) {
    const auto found = snapshot_->delegations.find(child);
    return found == snapshot_->delegations.end() ? nullptr : &found->second;
  };
  const auto children = waiting_.ReadyBelow(zone, delegation_of, clock_.Now());
  if (auto committed = Written(writer_.CommitSnapshot(zone, snapshot_->new_pins, children)); !committed)
    return tl::unexpected(committed.error());
  const Snapshot done = std::move(*snapshot_);
  snapshot_.reset();
  forked_.erase(zone);
  options_.accept.Remove(zone);
  LogPins(zone, *own ? (*own)->pins : std::vector<Octets>(), done.new_pins);
  process::Log(LogLevel::kInfo, "replica.snapshot_applied",
               {{"zone", zone.Format()}, {"epoch", done.position.epoch}, {"serial", done.position.serial}, {"nodes", done.node_count}});
  if (metrics_ != nullptr) metrics_->CountSnapshot(clock_.Now());
  reached.emplace_back(zone, done.position);
  Release(children, reached);
  return reached;
}

}  // namespace idzone::replica
