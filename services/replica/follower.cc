// SPDX-License-Identifier: MIT
#include "services/replica/follower.h"

#include <algorithm>

#include "idzone/feed/v1/feed_service.pb.h"
#include "services/core/dns/denial.h"
#include "services/process/log.h"
#include "services/replica/follower_metrics.h"

namespace idzone::replica {
namespace {

using process::LogLevel;

constexpr std::uint32_t kFeedFormatVersion = 1;

void ToProto(const dns::Name& zone, const zone::ZonePosition& position, feed::v1::Position* out) {
  out->set_zone(zone.wire());
  out->set_epoch(position.epoch);
  out->set_serial(position.serial);
  out->set_digest(position.digest);
}

Result<zone::ZonePosition> FromProto(const feed::v1::Position& position) {
  if (position.digest().size() != 32 || position.epoch() == 0 || position.serial() == 0)
    return Fail(Reason::kEncodingMalformed, "position", "epoch, serial and a digest of 32 octets", "others");
  return zone::ZonePosition{position.epoch(), position.serial(), position.digest()};
}

Result<dns::DenialKind> DenialOf(const feed::v1::FollowResponse_SnapshotBegin& message) {
  switch (message.denial()) {
    case 0:  // a feed that knows no other kind
    case 1: return dns::DenialKind::kNsec3;
    case 2: return dns::DenialKind::kNsec;
    default: return Fail(Reason::kEnumUnknown, "snapshot_begin.denial", "1 (NSEC3) or 2 (NSEC)", std::to_string(message.denial()));
  }
}

/// Says whether the writer refused the data, or its own damaged copy of it, so that a snapshot helps.
bool SnapshotHelps(Reason reason) {
  return reason == Reason::kDigestMismatch || reason == Reason::kVersionGap || reason == Reason::kEncodingMalformed ||
         reason == Reason::kRecordTypeForbidden;
}

const Octets& ZoneOf(const feed::v1::FollowResponse& message) {
  static const Octets kNone;
  switch (message.message_case()) {
    case feed::v1::FollowResponse::kVersion: return message.version().position().zone();
    case feed::v1::FollowResponse::kSnapshotBegin: return message.snapshot_begin().position().zone();
    case feed::v1::FollowResponse::kSnapshotNodes: return message.snapshot_nodes().zone();
    case feed::v1::FollowResponse::kSnapshotEnd: return message.snapshot_end().zone();
    case feed::v1::FollowResponse::kHeartbeat:
    case feed::v1::FollowResponse::MESSAGE_NOT_SET: break;
  }
  return kNone;
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

Result<feed::v1::FollowRequest> Follower::Begin() {
  broken_.reset();
  refused_.clear();
  current_ = false;
  caught_up_ = false;
  if (snapshot_) {
    const dns::Name zone = snapshot_->zone;
    snapshot_.reset();
    if (auto abandoned = writer_.AbandonSnapshot(zone); !abandoned) return tl::unexpected(abandoned.error());
  }
  auto zones = writer_.Zones();
  if (!zones) return tl::unexpected(zones.error());
  feed::v1::FollowRequest request;
  request.mutable_hello()->set_format_version(kFeedFormatVersion);
  for (const ZoneState& state : *zones) {
    if (!state.position.digest.empty()) ToProto(state.zone, state.position, request.mutable_hello()->add_positions());
  }
  return request;
}

Result<feed::v1::FollowRequest> Follower::Answer(const feed::v1::FollowResponse& message) {
  feed::v1::FollowRequest request;
  auto* applied = request.mutable_applied();
  if (message.has_heartbeat()) {
    caught_up_ = caught_up_ || !snapshot_;
    current_ = current_ || (refused_.empty() && !snapshot_);
    return request;
  }
  const Octets& wire = ZoneOf(message);
  const auto zone = dns::Name::FromWire(wire, "zone");
  if (!zone) return Refuse(wire, zone.error());
  const bool starts_again = message.has_snapshot_begin();
  if (refused_.contains(*zone) && !starts_again) return request;

  const Effect effect = Dispatch(*zone, message);
  if (broken_) {
    if (metrics_ != nullptr) metrics_->CountDiskFailure();
    return tl::unexpected(*broken_);
  }
  if (!effect) {
    if (snapshot_ && snapshot_->zone == *zone) {
      snapshot_.reset();
      if (auto abandoned = writer_.AbandonSnapshot(*zone); !abandoned) return tl::unexpected(abandoned.error());
    }
    refused_.insert(*zone);
    if (metrics_ != nullptr) metrics_->SetRefusedZones(refused_.size());
    return Refuse(wire, effect.error());
  }
  if (*effect) {
    refused_.erase(*zone);
    held_back_.erase(*zone);
    if (metrics_ != nullptr) metrics_->SetHeldBackZones(held_back_.size());
    if (metrics_ != nullptr) metrics_->SetRefusedZones(refused_.size());
    ToProto(*zone, **effect, applied->mutable_position());
  }
  return request;
}

Follower::Effect Follower::Dispatch(const dns::Name& zone, const feed::v1::FollowResponse& message) {
  switch (message.message_case()) {
    case feed::v1::FollowResponse::kVersion: return Apply(zone, message.version());
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

Follower::Effect Follower::Apply(const dns::Name& zone, const feed::v1::FollowResponse_Version& message) {
  const auto position = FromProto(message.position());
  if (!position) return tl::unexpected(position.error());
  const auto own = Written(writer_.FindZone(zone));
  if (!own) return tl::unexpected(own.error());
  if (!*own) return Fail(Reason::kVersionGap, "zone " + zone.Format(), "a snapshot of a zone that is not held", "a version");
  const FedVersion version{*position, message.previous_serial(), message.previous_digest(), message.delta()};
  const FedZone fed{zone, (*own)->denial};
  if (IsFork((*own)->position, position->epoch, version.previous_serial, version.previous_digest)) forked_[zone] = position->epoch;
  const auto changes = CheckChain(fed, (*own)->position, version);
  if (!changes) return tl::unexpected(changes.error());

  const dns::DenialKey apex_key = dns::DenialKeyOf(fed.denial, zone, zone);
  const auto apex = std::find_if(changes->begin(), changes->end(), [&](const zone::NodeChange& change) { return change.key == apex_key; });
  if (apex == changes->end() || !apex->data)
    return Fail(Reason::kVersionGap, "version of " + zone.Format(), "an apex with the new SOA", "none");
  const UnixTime now = clock_.Now();
  const auto judge =
      CheckApex(fed, apex->data->rrsets, position->serial, TrustedPins(options_.anchors, zone, (*own)->pins), options_.verify, now);
  if (!judge) return tl::unexpected(judge.error());
  const auto read = [&](const dns::DenialKey& key) { return writer_.ReadNode(zone, key); };
  if (auto same = CheckSameNegativeTtl(*judge, read); !same) return tl::unexpected(same.error());
  if (auto checked = CheckChanges(*judge, *changes, read); !checked) return tl::unexpected(checked.error());
  const std::vector<Octets> pins = NewPins(zone, apex->data->rrsets, (*own)->pins);
  if (auto written = Written(writer_.ApplyVersion(zone, (*own)->position, *position, *changes, pins)); !written)
    return tl::unexpected(written.error());
  LogPins(zone, (*own)->pins, pins);
  process::Log(LogLevel::kDebug, "replica.version_applied",
               {{"zone", zone.Format()}, {"serial", position->serial}, {"changes", changes->size()}});
  if (metrics_ != nullptr) metrics_->CountVersion(changes->size(), now);
  return std::optional(*position);
}

/// What only an operator may allow.
Result<void> Follower::CheckPast(const dns::Name& zone, const zone::ZonePosition& held, const zone::ZonePosition& offered,
                                 std::uint64_t nodes) {
  Result<void> checked = CheckHistory(zone, held, offered);
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
    if (auto abandoned = Written(writer_.AbandonSnapshot(snapshot_->zone)); !abandoned) return tl::unexpected(abandoned.error());
    snapshot_.reset();
  }
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

  Snapshot snapshot{
      .zone = zone, .position = *position, .node_count = message.node_count(), .nodes_seen = 0, .apex = {}, .judge = {}, .new_pins = {}};
  snapshot.apex = std::move(nodes->front());
  const std::vector<Octets> kept = *own ? (*own)->pins : std::vector<Octets>();
  std::vector<Octets> pins = TrustedPins(options_.anchors, zone, kept);
  if (!options_.anchors && pins.empty()) pins = PinsToKeep(options_.anchors, zone, snapshot.apex.data->rrsets);
  auto judge = CheckApex({zone, *denial}, snapshot.apex.data->rrsets, position->serial, pins, options_.verify, clock_.Now());
  if (!judge) return tl::unexpected(judge.error());
  snapshot.judge = std::move(*judge);
  snapshot.new_pins = NewPins(zone, snapshot.apex.data->rrsets, kept);
  if (auto begun = Written(writer_.BeginSnapshot(zone, *position, *denial)); !begun) return tl::unexpected(begun.error());
  snapshot_ = std::move(snapshot);
  // What follows belongs to the snapshot; the zone counts as refused until it is whole.
  refused_.erase(zone);
  return std::nullopt;
}

Follower::Effect Follower::ApplyNodes(const dns::Name& zone, const feed::v1::FollowResponse_SnapshotNodes& message) {
  if (!snapshot_ || snapshot_->zone != zone) return Torn(zone, "a beginning before its nodes", "none");
  const auto nodes = zone::DecodeDelta(message.nodes(), zone, snapshot_->judge.zone.denial);
  if (!nodes) return tl::unexpected(nodes.error());
  for (const zone::NodeChange& node : *nodes) {
    if (node.key == snapshot_->apex.key && node != snapshot_->apex) return Torn(zone, "the apex that was announced", "another");
  }
  snapshot_->nodes_seen += nodes->size();
  if (snapshot_->nodes_seen > snapshot_->node_count) return Torn(zone, std::to_string(snapshot_->node_count) + " nodes", "more");
  snapshot_->judge.now = clock_.Now();
  if (auto checked = CheckNodes(snapshot_->judge, *nodes); !checked) return tl::unexpected(checked.error());
  if (auto added = Written(writer_.AddNodes(zone, *nodes)); !added) return tl::unexpected(added.error());
  return std::nullopt;
}

Follower::Effect Follower::ApplyEnd(const dns::Name& zone) {
  if (!snapshot_ || snapshot_->zone != zone) return Torn(zone, "a beginning before its end", "none");
  if (snapshot_->nodes_seen != snapshot_->node_count)
    return Torn(zone, std::to_string(snapshot_->node_count) + " nodes", std::to_string(snapshot_->nodes_seen));
  const auto own = Written(writer_.FindZone(zone));
  if (!own) return tl::unexpected(own.error());
  if (auto committed = Written(writer_.CommitSnapshot(zone, snapshot_->new_pins)); !committed) return tl::unexpected(committed.error());
  const Snapshot done = std::move(*snapshot_);
  snapshot_.reset();
  forked_.erase(zone);
  options_.accept.Remove(zone);
  LogPins(zone, *own ? (*own)->pins : std::vector<Octets>(), done.new_pins);
  process::Log(LogLevel::kInfo, "replica.snapshot_applied",
               {{"zone", zone.Format()}, {"epoch", done.position.epoch}, {"serial", done.position.serial}, {"nodes", done.node_count}});
  if (metrics_ != nullptr) metrics_->CountSnapshot(clock_.Now());
  return std::optional(done.position);
}

}  // namespace idzone::replica
