// SPDX-License-Identifier: MIT
// Zones below cuts: a child is served from the moment on in which its parent delegates to it, and trusted through that alone.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "idzone/feed/v1/feed_service.pb.h"
#include "services/replica/follower.h"
#include "tests/unit/replica/signed_zone.h"

namespace idzone::replica {
namespace {

using feed::v1::FollowRequest;
using feed::v1::FollowResponse;

void ToProto(const dns::Name& zone, const zone::ZonePosition& position, feed::v1::Position* out) {
  out->set_zone(zone.wire());
  out->set_epoch(position.epoch);
  out->set_serial(position.serial);
  out->set_digest(position.digest);
}

class FollowerCutTest : public testing::TestWithParam<dns::DenialKind> {
 protected:
  FollowerCutTest() { Open(); }
  ~FollowerCutTest() override {
    follower_.reset();
    writer_.reset();
    std::filesystem::remove_all(directory_);
  }

  static std::string MakeDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "follower-cut-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    return pattern;
  }
  FollowRequest Open() {
    Restart({});
    return follower_->Begin().value().front();
  }
  void Restart(FollowerOptions options) {
    follower_.reset();
    writer_.reset();
    writer_ = ReplicaWriter::Open(directory_, std::size_t{64} << 20).value();
    follower_ = std::make_unique<Follower>(*writer_, std::move(options), clock_, nullptr);
  }
  /// Begins with an empty replica, and fills it with a parent and its child.
  void Refill(FollowerOptions options, const SignedZone& parent, const SignedZone& child) {
    std::filesystem::remove_all(directory_);
    directory_ = MakeDirectory();
    Restart(std::move(options));
    ASSERT_TRUE(follower_->Begin().has_value());
    ASSERT_TRUE(Snapshot(child, &parent).has_applied());
    ASSERT_TRUE(Snapshot(parent, nullptr).has_applied());
    ASSERT_TRUE(Serves(parent) && Serves(child));
  }
  FollowRequest Answer(const FollowResponse& message) { return follower_->Answer(message).value(); }
  FollowRequest Snapshot(const SignedZone& zone, const SignedZone* parent) {
    FollowResponse begin, nodes, end;
    auto* out = begin.mutable_snapshot_begin();
    ToProto(zone.name(), zone.position(), out->mutable_position());
    out->set_node_count(zone.Whole().size());
    out->set_apex(zone::EncodeDelta({zone.Apex()}));
    out->set_denial(static_cast<std::uint32_t>(zone.denial()));
    if (parent != nullptr) out->set_parent(parent->name().wire());
    nodes.mutable_snapshot_nodes()->set_zone(zone.name().wire());
    nodes.mutable_snapshot_nodes()->set_nodes(zone::EncodeDelta(zone.Whole()));
    end.mutable_snapshot_end()->set_zone(zone.name().wire());
    const FollowRequest begun = Answer(begin);
    if (begun.has_refusal()) return begun;
    Answer(nodes);
    return Answer(end);
  }
  static void Fill(const SignedZone& zone, const FedVersion& version, feed::v1::FollowResponse_Version* out) {
    ToProto(zone.name(), version.position, out->mutable_position());
    out->set_previous_serial(version.previous_serial);
    out->set_previous_digest(version.previous_digest);
    out->set_delta(version.delta);
  }
  FollowRequest Version(const SignedZone& zone, const FedVersion& version) {
    FollowResponse message;
    Fill(zone, version, message.mutable_version());
    return Answer(message);
  }
  bool Serves(const SignedZone& zone) {
    const auto state = writer_->FindZone(zone.name()).value();
    return state && state->position == zone.position();
  }

  SignedZone parent_{{GetParam(), 13, "_device.acme.example."}};
  SignedZone child_{{GetParam(), 13, "7f._device.acme.example."}};
  SignedZone grandchild_{{GetParam(), 13, "a.7f._device.acme.example."}};
  std::string directory_ = MakeDirectory();
  ManualClock clock_{parent_.now()};
  std::unique_ptr<ReplicaWriter> writer_;
  std::unique_ptr<Follower> follower_;
};

TEST_P(FollowerCutTest, AChildIsServedTogetherWithTheDelegation) {
  Snapshot(parent_, nullptr);

  const FollowRequest kept = Snapshot(child_, &parent_);

  EXPECT_TRUE(kept.has_applied() && !kept.applied().has_position()) << kept.DebugString();
  EXPECT_FALSE(Serves(child_));
  const FollowRequest both = Version(parent_, parent_.Publish({}, &child_));
  EXPECT_EQ(both.applied().position().zone(), parent_.name().wire()) << both.DebugString();
  ASSERT_EQ(both.applied().others_size(), 1);
  EXPECT_EQ(both.applied().others(0).zone(), child_.name().wire());
  EXPECT_TRUE(Serves(parent_) && Serves(child_));
}

TEST_P(FollowerCutTest, AChildThatWaitedWhenTheFeedWasLostIsTakenAnew) {
  Snapshot(parent_, nullptr);
  Snapshot(child_, &parent_);

  ASSERT_TRUE(follower_->Begin().has_value());

  Version(parent_, parent_.Publish({}, &child_));
  EXPECT_FALSE(Serves(child_)) << "what waited was forgotten";
  EXPECT_TRUE(Snapshot(child_, &parent_).applied().has_position());
  EXPECT_TRUE(Serves(parent_) && Serves(child_));
}

TEST_P(FollowerCutTest, SaysWhereItStandsInAsManyMessagesAsItTakes) {
  Snapshot(parent_, nullptr);
  Snapshot(child_, &parent_);
  Version(parent_, parent_.Publish({}, &child_));
  FollowerOptions one_by_one;
  one_by_one.positions_per_hello = 1;
  Restart(one_by_one);

  const auto hellos = follower_->Begin().value();

  ASSERT_EQ(hellos.size(), 2u);
  EXPECT_TRUE(hellos[0].hello().more());
  EXPECT_FALSE(hellos[1].hello().more());
  std::set<std::string> zones;
  for (const FollowRequest& hello : hellos) {
    ASSERT_EQ(hello.hello().positions_size(), 1);
    EXPECT_EQ(hello.hello().format_version(), 2u);
    zones.insert(hello.hello().positions(0).zone());
  }
  EXPECT_EQ(zones, (std::set<std::string>{parent_.name().wire(), child_.name().wire()}));
}

TEST_P(FollowerCutTest, AChildsVersionsAreJudgedByTheParentsDelegation) {
  Snapshot(parent_, nullptr);
  Snapshot(child_, &parent_);
  Version(parent_, parent_.Publish({}, &child_));

  EXPECT_TRUE(Version(child_, child_.Publish({"one"})).applied().has_position());

  Open();
  SignedZone foreign({GetParam(), 13, "7f._device.acme.example."});
  foreign.Publish({"one"});
  foreign.Publish({"two"});
  const FollowRequest refused = Snapshot(foreign, &parent_);
  EXPECT_EQ(refused.refusal().reason(), "KEY_NOT_PINNED") << refused.DebugString();
  EXPECT_TRUE(Serves(child_));
}

TEST_P(FollowerCutTest, AChildWithOtherKeysThanTheDelegationSaysIsNotServed) {
  SignedZone foreign({GetParam(), 13, "7f._device.acme.example."});
  Snapshot(parent_, nullptr);
  Snapshot(foreign, &parent_);

  const FollowRequest answer = Version(parent_, parent_.Publish({}, &child_));

  EXPECT_TRUE(answer.applied().has_position()) << "the parent goes on";
  EXPECT_EQ(answer.applied().others_size(), 0);
  EXPECT_FALSE(writer_->FindZone(foreign.name()).value().has_value());
  EXPECT_TRUE(Snapshot(child_, &parent_).applied().has_position()) << "the delegation is there: the right one is served at once";
}

TEST_P(FollowerCutTest, AnEmptyReplicaGetsChildrenFirstAndServesAllAtOnce) {
  child_.Publish({}, &grandchild_);
  parent_.Publish({"one"}, &child_);

  EXPECT_FALSE(Snapshot(grandchild_, &child_).applied().has_position());
  EXPECT_FALSE(Snapshot(child_, &parent_).applied().has_position());
  FollowResponse heartbeat;
  heartbeat.mutable_heartbeat();
  Answer(heartbeat);
  EXPECT_FALSE(follower_->current()) << "two zones wait";
  const FollowRequest all = Snapshot(parent_, nullptr);

  EXPECT_EQ(all.applied().others_size(), 2) << all.DebugString();
  EXPECT_TRUE(Serves(parent_) && Serves(child_) && Serves(grandchild_));
  Answer(heartbeat);
  EXPECT_TRUE(follower_->current());
}

TEST_P(FollowerCutTest, WhatIsKeptBackIsForgottenWithTheStream) {
  Snapshot(parent_, nullptr);
  Snapshot(child_, &parent_);

  const FollowRequest hello = Open();

  EXPECT_EQ(hello.hello().positions_size(), 1);
  EXPECT_EQ(Version(parent_, parent_.Publish({}, &child_)).applied().others_size(), 0);
  EXPECT_TRUE(Snapshot(child_, &parent_).applied().has_position());
}

TEST_P(FollowerCutTest, AParentIsAboveItsChild) {
  for (const SignedZone* other : {&child_, &grandchild_}) EXPECT_EQ(Snapshot(child_, other).refusal().reason(), "NAME_OUTSIDE_SUFFIX");
}

TEST_P(FollowerCutTest, VersionsOfManyZonesAreOneTransaction) {
  Snapshot(parent_, nullptr);
  Snapshot(child_, &parent_);
  Version(parent_, parent_.Publish({}, &child_));
  FollowResponse message;
  Fill(child_, child_.Publish({"one"}), message.mutable_versions()->add_versions());
  Fill(parent_, parent_.Publish({"two"}), message.mutable_versions()->add_versions());

  const FollowRequest answer = Answer(message);

  EXPECT_EQ(answer.applied().position().zone(), child_.name().wire()) << answer.DebugString();
  ASSERT_EQ(answer.applied().others_size(), 1);
  EXPECT_TRUE(Serves(parent_) && Serves(child_));
}

TEST_P(FollowerCutTest, OneBadVersionStopsThoseThatCameWithIt) {
  Snapshot(parent_, nullptr);
  Snapshot(child_, &parent_);
  Version(parent_, parent_.Publish({}, &child_));
  const zone::ZonePosition before = child_.position();
  FollowResponse message;
  Fill(child_, child_.Publish({"one"}), message.mutable_versions()->add_versions());
  FedVersion tampered = parent_.Publish({"two"});
  tampered.delta[40] = static_cast<char>(tampered.delta[40] ^ 1);
  Fill(parent_, tampered, message.mutable_versions()->add_versions());

  const FollowRequest answer = Answer(message);

  EXPECT_EQ(answer.refusal().zone(), parent_.name().wire()) << "the one to blame: " << answer.DebugString();
  EXPECT_EQ(writer_->FindZone(child_.name()).value()->position, before) << "nothing has changed";
  EXPECT_FALSE(Version(child_, child_.Publish({"three"})).applied().has_position()) << "ignored until a snapshot";
  EXPECT_TRUE(Snapshot(child_, &parent_).applied().has_position());
}

/// The next version of a zone: nothing but a new SOA, by a signature that is not its own.
FedVersion WithForgedSoa(SignedZone& zone) {
  SignedZone next = zone.Fork();
  const FedVersion version = next.Publish({});
  auto changes = zone::DecodeDelta(version.delta, zone.name(), zone.denial()).value();
  for (dns::RrSet& rrset : changes.front().data->rrsets) {
    if (rrset.type == dns::RrType::kSoa) rrset.rrsigs[0].back() = static_cast<char>(rrset.rrsigs[0].back() ^ 1);
  }
  return zone.Journal(changes, version.position.serial);
}

TEST_P(FollowerCutTest, OfAMessageThatItSamplesItVerifiesTheFirstSoaAlwaysAndTheOthersAtTimes) {
  constexpr int kTimes = 20;  // all of so many chosen: less often than once in 10^24 runs
  parent_.Publish({}, &child_);
  FollowerOptions options;
  options.verify = VerifyMode::kSample;
  const auto refused = [&](bool forged_comes_first) {
    SignedZone parent = parent_.Fork(), child = child_.Fork();
    Refill(options, parent, child);
    FollowResponse message;
    auto* versions = message.mutable_versions();
    const FedVersion good = parent.Publish({}), forged = WithForgedSoa(child);
    if (!forged_comes_first) Fill(parent, good, versions->add_versions());
    Fill(child, forged, versions->add_versions());
    if (forged_comes_first) Fill(parent, good, versions->add_versions());
    const FollowRequest answer = Answer(message);
    EXPECT_TRUE(answer.has_applied() || answer.refusal().reason() == "SIGNATURE_INVALID") << answer.DebugString();
    return answer.has_refusal();
  };
  int first = 0, second = 0;
  for (int i = 0; i < kTimes; ++i) {
    first += refused(true) ? 1 : 0;
    second += refused(false) ? 1 : 0;
  }
  EXPECT_EQ(first, kTimes);
  EXPECT_LT(second, kTimes);
}

INSTANTIATE_TEST_SUITE_P(EachKind, FollowerCutTest, testing::Values(dns::DenialKind::kNsec3, dns::DenialKind::kNsec));

}  // namespace
}  // namespace idzone::replica
