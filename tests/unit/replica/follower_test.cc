// SPDX-License-Identifier: MIT
#include "services/replica/follower.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "idzone/feed/v1/feed_service.pb.h"
#include "tests/unit/replica/signed_zone.h"

namespace idzone::replica {
namespace {

using feed::v1::FollowRequest;
using feed::v1::FollowResponse;

/// A follower with an empty replica, and a zone to feed it with.
class FollowerTest : public testing::TestWithParam<SignedZone::Options> {
 protected:
  FollowerTest() : directory_(MakeDirectory()), clock_(zone_.now()) { Open({}); }
  ~FollowerTest() override {
    follower_.reset();
    writer_.reset();
    std::filesystem::remove_all(directory_);
  }

  static std::string MakeDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "follower-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    return pattern;
  }

  /// Starts the follower, again too, and a stream; returns the Hello.
  FollowRequest Open(FollowerOptions options) {
    follower_.reset();
    writer_.reset();
    writer_ = ReplicaWriter::Open(directory_, std::size_t{64} << 20).value();
    follower_ = std::make_unique<Follower>(*writer_, std::move(options), clock_, nullptr);
    return follower_->Begin().value().front();
  }

  static void ToProto(const dns::Name& zone, const zone::ZonePosition& position, feed::v1::Position* out) {
    out->set_zone(zone.wire());
    out->set_epoch(position.epoch);
    out->set_serial(position.serial);
    out->set_digest(position.digest);
  }
  FollowRequest Answer(const FollowResponse& message) { return follower_->Answer(message).value(); }
  FollowRequest Version(const FedVersion& version) {
    FollowResponse message;
    auto* out = message.mutable_version();
    ToProto(zone_.name(), version.position, out->mutable_position());
    out->set_previous_serial(version.previous_serial);
    out->set_previous_digest(version.previous_digest);
    out->set_delta(version.delta);
    return Answer(message);
  }
  static FollowResponse BeginOf(const SignedZone& zone) {
    FollowResponse message;
    auto* out = message.mutable_snapshot_begin();
    ToProto(zone.name(), zone.position(), out->mutable_position());
    out->set_node_count(zone.Whole().size());
    out->set_apex(zone::EncodeDelta({zone.Apex()}));
    out->set_denial(static_cast<std::uint32_t>(zone.denial()));
    return message;
  }
  FollowRequest Begin(const SignedZone& zone) { return Answer(BeginOf(zone)); }
  FollowRequest Nodes(const SignedZone& zone, const std::vector<zone::NodeChange>& nodes) {
    FollowResponse message;
    message.mutable_snapshot_nodes()->set_zone(zone.name().wire());
    message.mutable_snapshot_nodes()->set_nodes(zone::EncodeDelta(nodes));
    return Answer(message);
  }
  FollowRequest End(const SignedZone& zone) {
    FollowResponse message;
    message.mutable_snapshot_end()->set_zone(zone.name().wire());
    return Answer(message);
  }
  FollowRequest Snapshot(const SignedZone& zone) {
    Begin(zone);
    Nodes(zone, zone.Whole());
    return End(zone);
  }
  FollowRequest Heartbeat() {
    FollowResponse message;
    message.mutable_heartbeat();
    return Answer(message);
  }
  zone::ZonePosition Held() { return writer_->FindZone(zone_.name()).value().value_or(ZoneState{}).position; }

  SignedZone zone_{GetParam()};
  std::string directory_;
  ManualClock clock_;
  std::unique_ptr<ReplicaWriter> writer_;
  std::unique_ptr<Follower> follower_;
};

TEST_P(FollowerTest, AppliesASnapshotAndTheVersionsAfterIt) {
  zone_.Publish({"one"});
  const FollowRequest whole = Snapshot(zone_);
  ASSERT_TRUE(whole.applied().has_position()) << whole.DebugString();
  EXPECT_EQ(whole.applied().position().serial(), 2u);

  const FollowRequest next = Version(zone_.Publish({"two", "three"}));

  EXPECT_EQ(next.applied().position().serial(), 3u) << next.DebugString();
  EXPECT_EQ(Held(), zone_.position());
  Heartbeat();
  EXPECT_TRUE(follower_->current());
}

TEST_P(FollowerTest, HasNotCaughtUpWhileTheFeedSaysThatItIsBehind) {
  FollowResponse message;
  message.mutable_heartbeat()->set_behind(true);

  Answer(message);

  EXPECT_FALSE(follower_->caught_up() || follower_->current());
  EXPECT_TRUE(follower_->lags());
  Heartbeat();
  EXPECT_TRUE(follower_->caught_up() && follower_->current());
  EXPECT_FALSE(follower_->lags());
  Answer(message);
  EXPECT_TRUE(follower_->lags());
}

TEST_P(FollowerTest, SaysWhereItStandsAfterARestart) {
  Snapshot(zone_);

  const FollowRequest hello = Open({});

  ASSERT_EQ(hello.hello().positions_size(), 1);
  EXPECT_EQ(hello.hello().positions(0).digest(), zone_.position().digest);
  EXPECT_EQ(Version(zone_.Publish({"one"})).applied().position().serial(), 2u);
}

TEST_P(FollowerTest, RefusesATamperedVersionAndIgnoresTheZoneUntilASnapshot) {
  Snapshot(zone_);
  const zone::ZonePosition before = zone_.position();
  FedVersion tampered = zone_.Publish({"one"});
  tampered.delta[40] = static_cast<char>(tampered.delta[40] ^ 1);

  EXPECT_EQ(Version(tampered).refusal().reason(), "DIGEST_MISMATCH");
  const FollowRequest ignored = Version(zone_.Publish({"two"}));

  EXPECT_TRUE(ignored.has_applied());
  EXPECT_FALSE(ignored.applied().has_position());
  EXPECT_EQ(Held(), before);
  Heartbeat();
  EXPECT_FALSE(follower_->current());
  EXPECT_TRUE(Snapshot(zone_).applied().has_position());
  Heartbeat();
  EXPECT_TRUE(follower_->current());
}

TEST_P(FollowerTest, KeepsTheOldZoneWhenASnapshotIsForged) {
  Snapshot(zone_);
  const zone::ZonePosition before = zone_.position();
  zone_.Publish({"one", "two"});
  std::vector<zone::NodeChange> nodes = zone_.Whole();
  for (zone::NodeChange& node : nodes) {
    if (node.data->rrsets.size() == 1) node.data->rrsets[0].rdatas[0].back() = static_cast<char>(node.data->rrsets[0].rdatas[0].back() ^ 1);
  }

  Begin(zone_);
  EXPECT_EQ(Nodes(zone_, nodes).refusal().reason(), "SIGNATURE_INVALID");
  EXPECT_FALSE(End(zone_).applied().has_position());
  EXPECT_EQ(Held(), before);
}

TEST_P(FollowerTest, RefusesATornSnapshot) {
  zone_.Publish({"one", "two", "three"});
  std::vector<zone::NodeChange> nodes = zone_.Whole();
  nodes.pop_back();

  Begin(zone_);
  Nodes(zone_, nodes);
  EXPECT_EQ(End(zone_).refusal().reason(), "VERSION_GAP");
  EXPECT_TRUE(Held().digest.empty());
}

TEST_P(FollowerTest, RefusesASnapshotOfThePast) {
  const FollowResponse past = BeginOf(zone_);
  zone_.Publish({"one"});
  Snapshot(zone_);

  EXPECT_EQ(Answer(past).refusal().reason(), "VERSION_GAP");
  EXPECT_EQ(Held(), zone_.position());
}

TEST_P(FollowerTest, HoldsBackAnotherHistoryOfTheSameSerialUntilTheEpochRises) {
  Snapshot(zone_);
  SignedZone other = zone_.Fork();
  other.Journal({other.Apex()}, 2);
  zone_.Publish({"one"});
  Version(zone_.last());
  ASSERT_EQ(Held().serial, other.position().serial);

  // A snapshot of it, and a version that follows it.
  EXPECT_EQ(Begin(other).refusal().reason(), "DIGEST_MISMATCH");
  ASSERT_EQ(follower_->held_back().size(), 1u);
  EXPECT_TRUE(Version(other.Publish({"two"})).has_applied()) << "ignored, as long as no snapshot begins";
  EXPECT_EQ(Held(), zone_.position());
  Heartbeat();
  EXPECT_FALSE(follower_->current());
  EXPECT_EQ(Begin(other).refusal().reason(), "DIGEST_MISMATCH") << "though it has overtaken what is held";

  other.SetEpoch(2);
  EXPECT_TRUE(Snapshot(other).applied().has_position());
  EXPECT_TRUE(follower_->held_back().empty());
  Heartbeat();
  EXPECT_TRUE(follower_->current());
}

TEST_P(FollowerTest, AVersionOfAnotherHistoryHoldsItsSnapshotsBackToo) {
  Snapshot(zone_);
  SignedZone other = zone_.Fork();
  other.Journal({other.Apex()}, 2);
  Version(zone_.Publish({"one"}));
  const FedVersion foreign = other.Publish({"two"});

  EXPECT_EQ(Version(foreign).refusal().reason(), "DIGEST_MISMATCH");
  EXPECT_TRUE(Begin(other).has_refusal());
  EXPECT_EQ(follower_->held_back().size(), 1u);
  EXPECT_EQ(Held(), zone_.position());
}

TEST_P(FollowerTest, AVersionOfAnotherHistoryCountsOfARefusedZoneToo) {
  SignedZone other = zone_.Fork();
  zone_.Publish({"one"});
  Snapshot(zone_);
  ASSERT_EQ(Begin(other).refusal().reason(), "VERSION_GAP") << "a zone of the past";
  other.Journal({other.Apex()}, 2);
  FedVersion told = other.Publish({"two"});
  told.delta.clear();

  EXPECT_FALSE(Version(told).applied().has_position());

  EXPECT_EQ(Begin(other).refusal().reason(), "DIGEST_MISMATCH");
  EXPECT_EQ(Held(), zone_.position());
}

TEST_P(FollowerTest, AnOperatorsWordLetsOneSnapshotThrough) {
  const std::string accept = directory_ + "/accept";
  FollowerOptions options;
  options.shrink = {.percent_max = 50, .nodes_min = 4};
  options.accept = AcceptFile(accept);
  Open(options);
  SignedZone emptied = zone_.Fork();
  zone_.Publish({"one", "two", "three", "four", "five"});
  Snapshot(zone_);
  emptied.Publish({"one"});
  emptied.Publish({});

  EXPECT_EQ(Begin(emptied).refusal().reason(), "LIMIT_EXCEEDED");
  EXPECT_EQ(follower_->held_back().size(), 1u);
  EXPECT_EQ(Held(), zone_.position());
  std::ofstream(accept) << "_other.example.\nnonsense..\n" << zone_.name().Format() << "\n";
  EXPECT_TRUE(Snapshot(emptied).applied().has_position());

  EXPECT_TRUE(follower_->held_back().empty());
  EXPECT_EQ(Held(), emptied.position());
  EXPECT_FALSE(options.accept.Names(zone_.name())) << "the word counts once";
  EXPECT_TRUE(options.accept.Names(dns::Name::Parse("_other.example.").value()));
}

TEST_P(FollowerTest, AZoneMayLoseWhatTheLimitAllows) {
  FollowerOptions options;
  options.shrink = {.percent_max = 50, .nodes_min = 4};
  Open(options);
  SignedZone smaller = zone_.Fork();
  zone_.Publish({"one", "two", "three", "four", "five"});
  Snapshot(zone_);
  smaller.Publish({"one", "two"});
  smaller.Publish({});

  EXPECT_TRUE(Snapshot(smaller).applied().has_position());
}

TEST_P(FollowerTest, RefusesAZoneReSignedWithAForeignKeyWhateverElseIsRight) {
  Snapshot(zone_);
  SignedZone foreign(GetParam());
  for (const char* device : {"one", "two", "three"}) foreign.Publish({device});
  ASSERT_TRUE(dns::SerialLess(Held().serial, foreign.position().serial));

  EXPECT_EQ(Begin(foreign).refusal().reason(), "KEY_NOT_PINNED");
  // As a version of the zone that is held: the apex has the foreign keys.
  zone_.Journal({foreign.Apex()}, foreign.position().serial);
  Open({});
  EXPECT_EQ(Version(zone_.last()).refusal().reason(), "KEY_NOT_PINNED");
}

TEST_P(FollowerTest, RefusesWhatDoesNotBelongIntoTheZone) {
  Snapshot(zone_);
  const zone::ZonePosition before = Held();
  zone_.Publish({"one"});
  const std::vector<zone::NodeChange> whole = zone_.Whole();
  const auto refused = [&](auto spoil) {
    std::vector<zone::NodeChange> nodes = whole;
    for (zone::NodeChange& node : nodes)
      if (node.data->owner != zone_.name()) spoil(node);
    Begin(zone_);
    const FollowRequest answer = Nodes(zone_, nodes);
    EXPECT_FALSE(End(zone_).applied().has_position());
    return answer.refusal().reason();
  };

  EXPECT_EQ(refused([](zone::NodeChange& node) { node.data->owner = dns::Name::Parse("one.else.example.").value(); }),
            "NAME_OUTSIDE_SUFFIX");
  EXPECT_EQ(refused([](zone::NodeChange& node) { node.data->rrsets[0].rrsigs.clear(); }), "SIGNATURE_INVALID");
  EXPECT_EQ(refused([](zone::NodeChange& node) { node.data->rrsets[0].ttl += 1; }), "SIGNATURE_INVALID");
  EXPECT_EQ(refused([](zone::NodeChange& node) { node.denial.reset(); }), "VERSION_GAP");
  EXPECT_EQ(Held(), before);
}

TEST_P(FollowerTest, RefusesARecordOfAForbiddenType) {
  Snapshot(zone_);
  const zone::ZonePosition before = Held();
  zone_.Publish({"one"});
  // Our own encoder cannot write a TXT record: TLSA becomes one on the wire.
  Octets nodes = zone::EncodeDelta(zone_.Whole());
  const Octets tlsa("\x00\x34\x00\x00\x01\x2c", 6);
  ASSERT_NE(nodes.find(tlsa), Octets::npos);
  nodes[nodes.find(tlsa) + 1] = 16;
  FollowResponse message;
  message.mutable_snapshot_nodes()->set_zone(zone_.name().wire());
  message.mutable_snapshot_nodes()->set_nodes(nodes);

  Begin(zone_);
  EXPECT_EQ(Answer(message).refusal().reason(), "RECORD_TYPE_FORBIDDEN");
  EXPECT_FALSE(End(zone_).applied().has_position());
  EXPECT_EQ(Held(), before);
}

TEST_P(FollowerTest, RefusesEveryTruncationOfAVersion) {
  Snapshot(zone_);
  const zone::ZonePosition before = Held();
  const FedVersion version = zone_.Publish({"one"});
  for (std::size_t length = 0; length < version.delta.size(); length += 29) {
    Open({});
    FedVersion truncated = version;
    truncated.delta.resize(length);
    EXPECT_EQ(Version(truncated).refusal().reason(), "DIGEST_MISMATCH");
    // With a digest that fits: what is left does not decode, or does not make a version.
    Open({});
    truncated.position.digest = zone::VersionDigest(before.digest, 1, version.position.serial, truncated.delta);
    EXPECT_TRUE(Version(truncated).has_refusal()) << length;
  }
  EXPECT_EQ(Held(), before);
}

TEST_P(FollowerTest, RefusesTheTimeBeforeALostReplica) {
  const FollowResponse past = BeginOf(zone_);
  zone_.Publish({"one"});
  FollowerOptions options;
  options.floors[zone_.name()] = zone_.position();
  Open(options);

  EXPECT_EQ(Answer(past).refusal().reason(), "VERSION_GAP");
  Heartbeat();
  EXPECT_TRUE(follower_->caught_up());
  EXPECT_FALSE(follower_->current());
  EXPECT_TRUE(Snapshot(zone_).applied().has_position());
}

TEST_P(FollowerTest, KeepsTheKeysThatItSawFirst) {
  Snapshot(zone_);
  Open({});
  SignedZone impostor(GetParam());
  impostor.Publish({"evil"});

  EXPECT_EQ(Begin(impostor).refusal().reason(), "KEY_NOT_PINNED");
  EXPECT_EQ(Held(), zone_.position());
}

TEST_P(FollowerTest, FollowsAKeyThatAPinnedOneIntroduces) {
  Snapshot(zone_);
  const signer::keys::SigningKey old = zone_.key();
  const auto next = signer::keys::SigningKey::Generate(GetParam().algorithm).value();

  zone_.SetKeys(old, {old.dnskey(), next.dnskey()});
  EXPECT_TRUE(Version(zone_.Publish({"one"})).applied().has_position());
  zone_.SetKeys(next, {next.dnskey()});
  EXPECT_TRUE(Version(zone_.Publish({"two"})).applied().has_position());
  Open({});
  EXPECT_TRUE(Version(zone_.Publish({"three"})).applied().has_position());

  // The old key left the apex: it vouches for nothing any more.
  zone_.SetKeys(old, {old.dnskey()});
  EXPECT_EQ(Version(zone_.Publish({"four"})).refusal().reason(), "KEY_NOT_PINNED");
}

TEST_P(FollowerTest, FollowsAKeyThatCdsIntroduces) {
  Snapshot(zone_);
  const auto next = signer::keys::SigningKey::Generate(GetParam().algorithm).value();
  zone_.SetCds({zone_.Ds(), dns::EncodeDs(zone_.name(), next.dnskey())});
  EXPECT_TRUE(Version(zone_.Publish({"one"})).applied().has_position());

  zone_.SetKeys(next, {next.dnskey()});

  EXPECT_TRUE(Version(zone_.Publish({"two"})).applied().has_position());
}

TEST_P(FollowerTest, RefusesAKeyThatNobodyIntroduced) {
  Snapshot(zone_);
  const signer::keys::SigningKey old = zone_.key();
  const auto foreign = signer::keys::SigningKey::Generate(GetParam().algorithm).value();

  zone_.SetKeys(foreign, {foreign.dnskey(), old.dnskey()});

  EXPECT_EQ(Version(zone_.Publish({"one"})).refusal().reason(), "SIGNATURE_INVALID");
}

TEST_P(FollowerTest, WhatAnchorsLedToCountsUntilTheySaySomethingElse) {
  const auto anchored = [&](const Octets& ds) {
    FollowerOptions options;
    options.anchors = AnchorSet::Parse("_device.acme.example. DS " + std::to_string(OctetReader(ds).U16()) + " " +
                                           std::to_string(GetParam().algorithm) + " 2 " + HexEncode(ds.substr(4)),
                                       "anchors")
                          .value();
    return options;
  };
  const Octets first = zone_.Ds();
  const signer::keys::SigningKey old = zone_.key();
  const auto next = signer::keys::SigningKey::Generate(GetParam().algorithm).value();
  Open(anchored(first));
  Snapshot(zone_);
  zone_.SetKeys(old, {old.dnskey(), next.dnskey()});
  Version(zone_.Publish({"one"}));
  zone_.SetKeys(next, {next.dnskey()});
  Version(zone_.Publish({"two"}));

  Open(anchored(first));
  EXPECT_TRUE(Version(zone_.Publish({"three"})).applied().has_position());
  Open(anchored(dns::EncodeDs(zone_.name(), signer::keys::SigningKey::Generate(GetParam().algorithm)->dnskey())));
  EXPECT_EQ(Version(zone_.Publish({"four"})).refusal().reason(), "KEY_NOT_PINNED");
}

TEST_P(FollowerTest, FollowsOnlyWhatTheAnchorsName) {
  FollowerOptions wrong;
  wrong.anchors = AnchorSet::Parse("_device.acme.example. DS 1 13 2 " + std::string(64, '0'), "anchors").value();
  Open(wrong);
  EXPECT_EQ(Begin(zone_).refusal().reason(), "KEY_NOT_PINNED");

  FollowerOptions right;
  const Octets ds = zone_.Ds();
  const unsigned tag = OctetReader(ds).U16();
  right.anchors = AnchorSet::Parse("_device.acme.example. DS " + std::to_string(tag) + " " + std::to_string(GetParam().algorithm) + " 2 " +
                                       HexEncode(ds.substr(4)),
                                   "anchors")
                      .value();
  Open(right);
  EXPECT_TRUE(Snapshot(zone_).applied().has_position());
}

TEST_P(FollowerTest, ForgetsAHalfSnapshotWhenTheStreamBreaks) {
  zone_.Publish({"one", "two"});
  Begin(zone_);
  Nodes(zone_, {zone_.Whole().front()});

  const FollowRequest hello = follower_->Begin().value().front();

  EXPECT_EQ(hello.hello().positions_size(), 0);
  EXPECT_TRUE(Snapshot(zone_).applied().has_position());
}

TEST_P(FollowerTest, RefusesWhatItsClockCallsExpired) {
  Snapshot(zone_);
  const FedVersion version = zone_.Publish({"one"});
  clock_.Advance(std::chrono::hours(3));

  EXPECT_EQ(Version(version).refusal().reason(), "SIGNATURE_INVALID");
}

TEST_P(FollowerTest, RefusesAKindThatItDoesNotKnowAndTheOtherOne) {
  zone_.Publish({"one"});
  FollowResponse begin = BeginOf(zone_);
  begin.mutable_snapshot_begin()->set_denial(3);
  EXPECT_EQ(Answer(begin).refusal().reason(), "ENUM_UNKNOWN");
  begin.mutable_snapshot_begin()->set_denial(GetParam().denial == dns::DenialKind::kNsec3 ? 2 : 1);
  EXPECT_EQ(Answer(begin).refusal().reason(), "ENCODING_MALFORMED");
  EXPECT_TRUE(Held().digest.empty());
}

TEST_P(FollowerTest, TakesAFeedThatNamesNoKindForAnNsec3Feed) {
  FollowResponse begin = BeginOf(zone_);
  begin.mutable_snapshot_begin()->set_denial(0);

  EXPECT_EQ(Answer(begin).has_applied(), GetParam().denial == dns::DenialKind::kNsec3);
}

INSTANTIATE_TEST_SUITE_P(EachKindAndAlgorithm, FollowerTest,
                         testing::Values(SignedZone::Options{dns::DenialKind::kNsec3, 13},
                                         SignedZone::Options{dns::DenialKind::kNsec, 15}));

}  // namespace
}  // namespace idzone::replica
