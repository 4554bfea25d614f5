// SPDX-License-Identifier: MIT
#include "services/nameserver/cache_purge.h"

#include <gtest/gtest.h>

#include "services/replica/stale_names.h"
#include "tests/unit/nameserver/served_replica.h"

namespace idzone::nameserver {
namespace {

using replica::ChangedName;
using replica::ChangeScope;

/// Remembers what it was told.
class FakeCaches : public AnswerCaches {
 public:
  void ForgetName(OctetsView name) override { told.push_back("name " + Text(name)); }
  void ForgetBelow(OctetsView name) override { told.push_back("below " + Text(name)); }
  void ForgetZone(OctetsView apex) override { told.push_back("zone " + Text(apex)); }
  void ForgetAll() override { told.push_back("all"); }
  void SetZone(OctetsView apex, std::optional<replica::ZoneNumber> number) {
    told.push_back("set " + Text(apex) + (number ? " there" : " gone"));
  }
  std::vector<std::string> Take() { return std::exchange(told, {}); }

  std::vector<std::string> told;

 private:
  static std::string Text(OctetsView wire) { return Must(dns::Name::FromWire(wire)).Format(); }
};

using Told = std::vector<std::string>;

class CachePurgeTest : public ::testing::Test {
 protected:
  void Ticks(std::uint64_t count) {
    while (count-- > 0) purge_.Tick();
  }
  /// Beyond what a replica does when it is opened.
  void Settle() {
    Ticks(CachePurge::kRepeats.back() + 2);
    caches_.Take();
  }
  void Commit(const std::vector<ChangedName>& names) {
    auto transaction = Must(replica::WriteTransaction::Begin(replica_.writer().environment()));
    Must(replica::AppendChanges(transaction, names));
    Must(transaction.Commit());
  }
  static ChangedName Changed(const std::string& name, ChangeScope scope = ChangeScope::kName) { return {scope, MakeName(name).wire()}; }

  ServedReplica replica_;
  std::shared_ptr<replica::Environment> current_ = replica_.writer().environment();
  FakeCaches caches_;
  ZoneNews news_{[this](OctetsView apex, std::optional<replica::ZoneNumber> number) { caches_.SetZone(apex, number); },
                 [](const std::vector<OctetsView>&) {}};
  CachePurge purge_{[this] { return current_; }, caches_, news_};
};

TEST_F(CachePurgeTest, WithoutAReplicaThereIsNothingToForget) {
  current_.reset();

  Ticks(300);

  EXPECT_EQ(caches_.Take(), Told{});
}

TEST_F(CachePurgeTest, AReplicaThatIsOpenedMakesEverythingStaleNowAndForASecond) {
  Ticks(1);
  EXPECT_EQ(caches_.Take(), Told{"all"});
  Ticks(CachePurge::kRepeats.back());
  EXPECT_EQ(caches_.Take(), Told(3, "all"));
  Ticks(1000);
  EXPECT_EQ(caches_.Take(), Told{});
}

TEST_F(CachePurgeTest, WhatACommitChangedIsForgottenAtTheNextTickAndThreeTimesMore) {
  Settle();
  Commit({Changed("d1.a."), Changed("a.", ChangeScope::kBelow)});

  Ticks(1);
  EXPECT_EQ(caches_.Take(), (Told{"name d1.a.", "below a."}));
  Ticks(1);
  EXPECT_EQ(caches_.Take(), Told{});
  Ticks(1);
  EXPECT_EQ(caches_.Take().size(), 2u) << "after 10 ms";
  Ticks(18);
  EXPECT_EQ(caches_.Take().size(), 2u) << "after 100 ms";
  Ticks(180);
  EXPECT_EQ(caches_.Take().size(), 2u) << "after 1 s";
  Ticks(1000);
  EXPECT_EQ(caches_.Take(), Told{});
}

TEST_F(CachePurgeTest, CommitsThatChangedNothingForReadersAreNoReason) {
  Settle();
  Must(replica_.writer().SetPins(MakeName("other."), {"pin"}));

  Ticks(300);

  EXPECT_EQ(caches_.Take(), Told{});
}

TEST_F(CachePurgeTest, CommitsBetweenTwoTicksAreTakenTogether) {
  Settle();
  Commit({Changed("d1.a."), Changed("a.")});
  Commit({Changed("d2.a."), Changed("a.")});

  Ticks(1);

  Told told = caches_.Take();
  std::sort(told.begin(), told.end());
  EXPECT_EQ(told, (Told{"name a.", "name d1.a.", "name d2.a."}));
}

TEST_F(CachePurgeTest, AZoneThatIsMadeIsListedAndForgottenAndSoIsOneThatIsRemoved) {
  Settle();
  replica_.Load(1);
  Ticks(1);
  EXPECT_EQ(caches_.Take(), (Told{"set _device.acme.example. there", "zone _device.acme.example."}));

  Settle();
  Must(replica_.writer().RemoveZone(replica_.apex));
  Ticks(1);
  EXPECT_EQ(caches_.Take(), (Told{"set _device.acme.example. gone", "zone _device.acme.example."}));
}

TEST_F(CachePurgeTest, WhoMissedEntriesForgetsEverything) {
  Settle();
  auto transaction = Must(replica::WriteTransaction::Begin(replica_.writer().environment()));
  for (int i = 0; i < 5000; ++i) Must(replica::AppendChanges(transaction, {Changed("d.a.")}));
  Must(transaction.Commit());

  Ticks(1);
  EXPECT_EQ(caches_.Take(), Told{"all"});
  Settle();
  Commit({Changed("d2.a.")});
  Ticks(1);
  EXPECT_EQ(caches_.Take(), Told{"name d2.a."}) << "and goes on from there";
}

TEST_F(CachePurgeTest, AReplacedReplicaMakesEverythingStaleAndItsZonesKnownAndTheOldOneIsLetGo) {
  Settle();
  ServedReplica other;
  other.Load(1);
  const std::weak_ptr<replica::Environment> old = current_;
  current_ = other.writer().environment();
  replica_.CloseWriter();

  Ticks(1);

  EXPECT_EQ(caches_.Take(), (Told{"set _device.acme.example. there", "all"})) << "it may number them otherwise";
  EXPECT_TRUE(old.expired());
}

TEST_F(CachePurgeTest, NoSnapshotIsHeldBetweenTicks) {
  Settle();
  const auto size = [&] { return std::filesystem::file_size(replica_.directory() + "/data.mdb"); };
  for (int i = 0; i < 20; ++i) Commit({Changed("d.a.")});
  const auto before = size();

  for (int i = 0; i < 300; ++i) {
    Commit({Changed("d.a.")});
    if (i % 10 == 0) Ticks(1);
  }

  EXPECT_LT(size(), 2 * before + (1 << 20));
}

TEST_F(CachePurgeTest, TooManyNamesThatWaitBecomeEverything) {
  Settle();
  std::vector<ChangedName> names;
  for (int i = 0; i < 60'000; ++i) names.push_back(Changed("d" + std::to_string(i) + ".a."));
  for (int i = 0; i < 2; ++i) {
    auto transaction = Must(replica::WriteTransaction::Begin(replica_.writer().environment()));
    Must(replica::AppendChanges(transaction, names));
    Must(transaction.Commit());
    Ticks(1);
  }
  EXPECT_EQ(caches_.Take().size(), 120'000u);

  Ticks(1000);

  EXPECT_EQ(caches_.Take(), Told(3, "all"));
}

}  // namespace
}  // namespace idzone::nameserver
