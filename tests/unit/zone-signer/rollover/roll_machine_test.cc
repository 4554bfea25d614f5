// SPDX-License-Identifier: MIT
#include "zone-signer/rollover/roll_machine.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include "tests/tools/roll_world.h"

namespace idzone::signer::rollover {
namespace {

using zone::KeyRole;
using zone::KeyState;

constexpr UnixTime kStart(seconds(1'800'000'000));
constexpr LongestTtls kTtls{hours(1), minutes(5), hours(24)};
constexpr Delays kDelays{minutes(10), hours(2)};

RollState Active(std::vector<KeyRole> roles, std::uint8_t algorithm = 13) {
  RollState state;
  for (const KeyRole role : roles)
    state.keys.push_back({.id = Sha256("old" + std::to_string(static_cast<int>(role))),
                          .role = role,
                          .algorithm = algorithm,
                          .state = KeyState::kActive,
                          .uses = zone::AllUses(role),
                          .part = Part::kNone});
  state.ttls = kTtls;
  return state;
}

/// A namespace whose world does at once what the machine wants.
class RollMachineTest : public ::testing::Test {
 protected:
  void Do(const Event& event) {
    auto step = Apply(state_, event, kDelays, now_);
    ASSERT_TRUE(step) << step.error().Detail();
    state_ = step->state;
    actions_ = step->actions;
  }
  void See(std::optional<ParentView> parent = {}) { Do(Observed{.published = true, .resigned = true, .parent = parent, .ttls = kTtls}); }
  void Begin_(Begin begin) {
    Do(begin);
    KeysMade made;
    for (std::size_t i = 0; i < state_.roll->roles.size(); ++i) made.ids.push_back(Sha256("new" + std::to_string(++made_)));
    Do(made);
  }
  Phase phase() const { return state_.roll->phase; }
  const RolledKey& Key(const char* name) const {
    return *std::find_if(state_.keys.begin(), state_.keys.end(), [&](const RolledKey& key) { return key.id == Sha256(name); });
  }
  /// The moment before and the moment at which a phase that sees everything ends.
  void Endures(Phase phase_now, seconds interval, std::optional<ParentView> parent = {}) {
    ASSERT_EQ(phase(), phase_now);
    See(parent);
    EXPECT_EQ(WaitingFor(state_, kDelays, now_), (Waiting{Wait::kCaches, now_ + interval}));
    now_ += interval - seconds(1);
    See(parent);
    ASSERT_EQ(phase(), phase_now);
    now_ += seconds(1);
    See(parent);
  }

  RollState state_ = Active({KeyRole::kCsk});
  UnixTime now_ = kStart;
  std::vector<Action> actions_;
  int made_ = 0;
};

TEST_F(RollMachineTest, RollsACombinedKeyByTheTimesOfRfc7583) {
  Begin_({});

  EXPECT_EQ(Key("new1").uses, (zone::KeyUses{.in_dnskey = true, .signs_keys = true, .signs_data = false, .in_ds = false}));
  EXPECT_EQ(Key("old1").uses, zone::AllUses(KeyRole::kCsk));
  Endures(Phase::kPublishing, kDelays.dprp + kTtls.keys);  // Ipub = Dprp + TTLkey
  EXPECT_EQ(Key("new1").uses, zone::AllUses(KeyRole::kCsk));
  EXPECT_EQ(Key("old1").uses, (zone::KeyUses{.in_dnskey = true, .signs_keys = true, .signs_data = false, .in_ds = false}));
  EXPECT_EQ(actions_, (std::vector{Action::kPublish, Action::kSignAgain, Action::kTellParent}));
  Endures(Phase::kSwitching, kDelays.dprp_p + kTtls.ds, ParentView{{Sha256("new1")}});  // Iret = DprpP + TTLds

  EXPECT_FALSE(state_.roll);
  EXPECT_EQ(Key("old1").state, KeyState::kRemoved);
  EXPECT_FALSE(Key("old1").uses.any());
  EXPECT_EQ(actions_, (std::vector{Action::kPublish, Action::kFinished}));
}

TEST_F(RollMachineTest, RollsAZskWithoutTheParent) {
  state_ = Active({KeyRole::kKsk, KeyRole::kZsk});
  Begin_({.style = Style::kZskPrePublish});

  EXPECT_EQ(Key("new1").uses, (zone::KeyUses{.in_dnskey = true, .signs_keys = false, .signs_data = false, .in_ds = false}));
  Endures(Phase::kPublishing, kDelays.dprp + kTtls.keys);
  Endures(Phase::kSwitching, kDelays.dprp + kTtls.data);  // Iret = Dsgn + Dprp + TTLsig

  EXPECT_FALSE(state_.roll);
  EXPECT_EQ(Key("old2").uses, zone::AllUses(KeyRole::kKsk));
}

TEST_F(RollMachineTest, RollsAKskByDoubleDsWithOneKeyShownAtATime) {
  state_ = Active({KeyRole::kKsk, KeyRole::kZsk});
  Begin_({.style = Style::kKskDoubleDs});

  EXPECT_FALSE(Key("new1").uses.in_dnskey);
  Endures(Phase::kDelegating, kDelays.dprp_p + kTtls.ds, ParentView{{Sha256("old2"), Sha256("new1")}});  // IpubP
  EXPECT_FALSE(Key("old2").uses.in_dnskey);
  EXPECT_TRUE(Key("old2").uses.in_ds);
  Endures(Phase::kSwapping, kDelays.dprp + kTtls.keys);
  ASSERT_EQ(phase(), Phase::kUndelegating);
  See(ParentView{{Sha256("old2"), Sha256("new1")}});
  EXPECT_TRUE(state_.roll);
  See(ParentView{{Sha256("new1")}});

  EXPECT_FALSE(state_.roll);
}

TEST_F(RollMachineTest, ANewAlgorithmSignsBeforeItsKeysAreShownAndTheOldOneAfterIts) {
  Begin_({.style = Style::kAlgorithm, .algorithm = 15});

  EXPECT_EQ(Key("new1").uses, (zone::KeyUses{.in_dnskey = false, .signs_keys = false, .signs_data = true, .in_ds = false}));
  Endures(Phase::kSigning, kDelays.dprp + kTtls.data);
  Endures(Phase::kPublishing, kDelays.dprp + kTtls.keys);
  EXPECT_TRUE(Key("old1").uses.signs_data);
  Endures(Phase::kSwitching, kDelays.dprp_p + kTtls.ds, ParentView{{Sha256("new1")}});
  EXPECT_EQ(Key("old1").uses, (zone::KeyUses{.in_dnskey = false, .signs_keys = false, .signs_data = true, .in_ds = false}));
  Endures(Phase::kWithdrawing, kDelays.dprp + kTtls.keys);

  EXPECT_FALSE(state_.roll);
  EXPECT_FALSE(Key("old1").uses.any());
}

TEST_F(RollMachineTest, WaitsForWhatItDoesNotSee) {
  Begin_({});
  const auto look = [&](bool published, bool resigned, std::optional<ParentView> parent) {
    Do(Observed{.published = published, .resigned = resigned, .parent = parent, .ttls = kTtls});
    return WaitingFor(state_, kDelays, now_).what;
  };
  EXPECT_EQ(look(false, true, {}), Wait::kZones);
  now_ += hours(24 * 365);
  EXPECT_EQ(look(true, true, {}), Wait::kCaches);
  now_ += hours(2);
  look(true, true, {});
  ASSERT_EQ(phase(), Phase::kSwitching);
  EXPECT_EQ(look(true, false, {}), Wait::kSigning);
  EXPECT_EQ(look(true, true, {}), Wait::kParent);
  EXPECT_EQ(look(true, true, ParentView{{Sha256("old1")}}), Wait::kParent);
  EXPECT_EQ(look(true, true, ParentView{{Sha256("old1"), Sha256("new1")}}), Wait::kParent);
  EXPECT_EQ(look(true, true, ParentView{{}}), Wait::kParent);
  EXPECT_EQ(look(true, true, ParentView{{Sha256("new1")}}), Wait::kCaches);
  // The parent went back: the wait begins anew.
  EXPECT_EQ(look(true, true, ParentView{{Sha256("old1")}}), Wait::kParent);
}

// Unbound believes the records of the strongest digest alone: one of the old key would be all that it sees.
TEST_F(RollMachineTest, AnotherDigestOfTheOldKeyHoldsTheRollUp) {
  Begin_({});
  Endures(Phase::kPublishing, kDelays.dprp + kTtls.keys);

  See(ParentView{{Sha256("new1")}, {Sha256("old1")}});
  EXPECT_EQ(WaitingFor(state_, kDelays, now_).what, Wait::kParent);
  See(ParentView{{}, {Sha256("new1")}});
  EXPECT_EQ(WaitingFor(state_, kDelays, now_).what, Wait::kParent) << "not every validator knows other digests";
  See(ParentView{{Sha256("new1")}, {Sha256("new1")}});
  EXPECT_EQ(WaitingFor(state_, kDelays, now_).what, Wait::kCaches);
}

TEST_F(RollMachineTest, AnEmergencyThatFindsNoRoomFollowsTheRollUnderWay) {
  state_ = Active({KeyRole::kKsk, KeyRole::kZsk});
  Begin_({.style = Style::kZskPrePublish});
  Endures(Phase::kPublishing, kDelays.dprp + kTtls.keys);
  ASSERT_EQ(phase(), Phase::kSwitching);
  const RollState before = state_;

  Do(Begin{.urgent = true});

  EXPECT_EQ(state_.keys, before.keys);
  EXPECT_TRUE(state_.roll->urgent) << "data is signed again at once";
  EXPECT_TRUE(state_.roll->emergency_follows);
  EXPECT_TRUE(actions_.empty());
  const RollState ordered = state_;
  Do(Begin{.urgent = true});
  EXPECT_EQ(state_, ordered) << "ordered twice, it follows once";
  Endures(Phase::kSwitching, kDelays.dprp + kTtls.data);
  EXPECT_EQ(phase(), Phase::kMaking);
  EXPECT_EQ(state_.roll->style, Style::kAllKeys);
  EXPECT_EQ(state_.roll->roles, (std::vector{KeyRole::kKsk, KeyRole::kZsk}));
  EXPECT_TRUE(state_.roll->urgent);
  EXPECT_FALSE(state_.roll->emergency_follows);
  EXPECT_EQ(Key("old3").state, KeyState::kRemoved);
  EXPECT_EQ(Key("old3").part, Part::kNone);
  EXPECT_EQ(Key("old2").part, Part::kLeaving);
  EXPECT_EQ(Key("new1").part, Part::kLeaving);
  EXPECT_EQ(actions_, (std::vector{Action::kPublish, Action::kFinished, Action::kMakeKeys}));
}

TEST_F(RollMachineTest, AnEmergencyWithOtherKeysThatFindsNoRoomIsToldWhatItWaitsFor) {
  Begin_({});
  Endures(Phase::kPublishing, kDelays.dprp + kTtls.keys);
  Begin_({.urgent = true});
  Endures(Phase::kPublishing, kDelays.dprp + kTtls.keys);
  ASSERT_EQ(phase(), Phase::kSwitching);
  const auto refused = [&] { return Apply(state_, Begin{.roles = {KeyRole::kKsk, KeyRole::kZsk}, .urgent = true}, kDelays, now_).error(); };

  See();
  EXPECT_EQ(refused().reason, Reason::kLimitExceeded);
  EXPECT_EQ(refused().met,
            "3 now and 2 new ones; order it again when the roll under way is over, which is switching and waits for the parent");
  See(ParentView{{Sha256("new2")}});
  EXPECT_EQ(refused().met,
            "3 now and 2 new ones; order it again when the roll under way is over, which is switching and waits for caches until " +
                FormatTime(now_ + kDelays.dprp_p + kTtls.ds));
  Do(Observed{.published = true, .resigned = false, .parent = {}, .ttls = kTtls});
  EXPECT_NE(refused().met.find("waits for data to be signed again"), std::string::npos);
}

TEST_F(RollMachineTest, TheOperatorMaySpeakForTheParent) {
  EXPECT_EQ(Apply(state_, ParentConfirmed{}, kDelays, now_).error().reason, Reason::kNamespaceNotReady);
  Begin_({});
  EXPECT_EQ(Apply(state_, ParentConfirmed{}, kDelays, now_).error().reason, Reason::kNamespaceNotReady);
  Endures(Phase::kPublishing, kDelays.dprp + kTtls.keys);

  Do(ParentConfirmed{});

  See();
  EXPECT_EQ(WaitingFor(state_, kDelays, now_).what, Wait::kCaches);
}

TEST_F(RollMachineTest, OldKeysStayForTheLongestTtlThatWasEverObserved) {
  Do(Observed{.published = true, .resigned = true, .parent = {}, .ttls = {hours(48), minutes(1), minutes(1)}});
  See();
  Begin_({});
  See();

  EXPECT_EQ(WaitingFor(state_, kDelays, now_), (Waiting{Wait::kCaches, now_ + kDelays.dprp + hours(48)}));
}

TEST_F(RollMachineTest, AnEmergencyDropsANewKeyThatNothingReliesOn) {
  Begin_({});
  const std::int64_t revision = state_.revision;

  Begin_({.urgent = true});

  EXPECT_EQ(Key("new1").state, KeyState::kRemoved);
  EXPECT_EQ(Key("old1").uses, zone::AllUses(KeyRole::kCsk));
  EXPECT_EQ(phase(), Phase::kPublishing);
  EXPECT_TRUE(state_.roll->urgent);
  EXPECT_GT(state_.revision, revision);
}

TEST_F(RollMachineTest, AnEmergencyKeepsAKeyThatSignsUntilItsReplacementDoes) {
  Begin_({});
  Endures(Phase::kPublishing, kDelays.dprp + kTtls.keys);

  Begin_({.urgent = true});

  EXPECT_EQ(Key("new1").uses, zone::AllUses(KeyRole::kCsk));
  EXPECT_EQ(Key("new1").part, Part::kLeaving);
  Endures(Phase::kPublishing, kDelays.dprp + kTtls.keys);
  Endures(Phase::kSwitching, kDelays.dprp_p + kTtls.ds, ParentView{{Sha256("new2")}});
  EXPECT_FALSE(Key("new1").uses.any());
  EXPECT_FALSE(Key("old1").uses.any());
}

TEST_F(RollMachineTest, RefusesWhatTheKeysDoNotAllow) {
  const auto refused = [&](const Begin& begin) {
    const auto step = Apply(state_, begin, kDelays, now_);
    return step ? Reason{} : step.error().reason;
  };
  EXPECT_EQ(refused({.style = Style::kZskPrePublish}), Reason::kValueOutOfRange);
  EXPECT_EQ(refused({.style = Style::kKskDoubleDs}), Reason::kValueOutOfRange);
  EXPECT_EQ(refused({.style = Style::kAlgorithm}), Reason::kValueOutOfRange);
  EXPECT_EQ(refused({.style = Style::kAlgorithm, .algorithm = 13}), Reason::kValueOutOfRange);
  EXPECT_EQ(refused({.algorithm = 15}), Reason::kValueOutOfRange);
  EXPECT_EQ(refused({.roles = {KeyRole::kZsk}}), Reason::kValueOutOfRange);
  EXPECT_EQ(refused({.style = Style::kAlgorithm, .algorithm = 15, .urgent = true}), Reason::kValueOutOfRange);
  Begin_({});
  EXPECT_EQ(refused({}), Reason::kNamespaceNotReady);
}

TEST_F(RollMachineTest, ShowsNoFifthDnskey) {
  Begin_({});
  for (int i = 0; i < 3; ++i) {
    See();
    now_ += hours(30);
    See();
    ASSERT_EQ(phase(), Phase::kSwitching);
    if (i < 2) {
      Begin_({.urgent = true});
      continue;
    }
    Do(Begin{.urgent = true});
    EXPECT_TRUE(state_.roll->emergency_follows);
  }
  EXPECT_EQ(std::count_if(state_.keys.begin(), state_.keys.end(), [](const RolledKey& key) { return key.uses.in_dnskey; }), 4);
}

TEST_F(RollMachineTest, MakesKeysAgainAfterACrashBeforeTheyWereKnown) {
  Do(Begin{});

  See();

  EXPECT_EQ(phase(), Phase::kMaking);
  EXPECT_EQ(actions_, (std::vector{Action::kMakeKeys}));
}

TEST_F(RollMachineTest, SeeingTheSameTwiceChangesNothing) {
  Begin_({});
  See();
  const RollState before = state_;

  See();

  EXPECT_EQ(state_, before);
}

/// Two years of each style, seeds by chance: the campaign has ten and a hundred.
RC_GTEST_PROP(RollWorldTest, NoCacheIsEverWithoutAPath, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint32_t>();
  const auto style = static_cast<Style>(*rc::gen::inRange(1, 6));
  World world({.seed = seed,
               .style = style,
               .length = hours(24 * 365 * 2),
               .emergencies = *rc::gen::arbitrary<bool>(),
               .parent_can_be_asked = *rc::gen::arbitrary<bool>()});

  const WorldReport report = world.Run();

  for (const std::string& failure : report.failures) RC_LOG() << failure << std::endl;
  RC_ASSERT(report.failures.empty());
}

/// A campaign that cannot fail proves nothing.
TEST(RollWorldTest, FindsAMachineThatDoesNotWait) {
  for (int style = 1; style <= 5; ++style) {
    int found = 0;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      World world({.seed = seed,
                   .style = static_cast<Style>(style),
                   .length = hours(24 * 365),
                   .emergencies = false,
                   .parent_can_be_asked = true,
                   .machine_is_told_nothing = true});
      found += world.Run().failures.empty() ? 0 : 1;
    }
    EXPECT_GE(found, 5) << "style " << style;
  }
}

/// Returns how many of ten worlds see that failure.
int WorldsThatSee(const std::string& failure, WorldOptions options) {
  int found = 0;
  for (options.seed = 0; options.seed < 10; ++options.seed) {
    const WorldReport report = World(options).Run();
    found += std::any_of(report.failures.begin(), report.failures.end(),
                         [&](const std::string& seen) { return seen.find(failure) != std::string::npos; });
  }
  return found;
}

TEST(RollWorldTest, FindsOutagesThatNoPolicyTolerates) {
  EXPECT_GE(WorldsThatSee("a signature has expired", {.length = hours(24 * 1460), .outages_tolerated = 2}), 8);
}

TEST(RollWorldTest, FindsARollThatDoesNotEnd) {
  EXPECT_EQ(WorldsThatSee("a roll does not move on", {.style = Style::kKskDoubleDs, .length = hours(24 * 730), .parent_is_deaf = true}),
            10);
}

TEST(RollWorldTest, FindsASweepThatIsLate) {
  EXPECT_GE(WorldsThatSee("less left than the policy promises", {.length = hours(24 * 365), .sweeps_late = 2}), 8);
}

}  // namespace
}  // namespace idzone::signer::rollover
