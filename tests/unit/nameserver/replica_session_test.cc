// SPDX-License-Identifier: MIT
#include "services/nameserver/replica_session.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "tests/unit/nameserver/served_replica.h"

namespace idzone::nameserver {
namespace {

using Clock = std::chrono::steady_clock;

/// The writer lives in another process in truth, since a process opens a replica once: here it has to close first.
class ReplicaSessionTest : public ::testing::Test {
 protected:
  Report Remember() {
    return [this](const std::string& line) { lines_.push_back(line); };
  }
  std::size_t CountLines(const std::string& id) const {
    return static_cast<std::size_t>(std::count_if(lines_.begin(), lines_.end(), [&](const auto& line) { return line.starts_with(id); }));
  }

  ServedReplica replica_;
  std::vector<std::string> lines_;
};

TEST_F(ReplicaSessionTest, StartsWithoutAReplicaTellsItOnceAndPicksItUpLater) {
  const std::string later = replica_.directory() + "/later";
  ReplicaSource source(later, Remember());
  Session session(source);
  EXPECT_EQ(Must(session.Open()).snapshot(), nullptr);
  source.Tick(Clock::now());
  EXPECT_EQ(CountLines("nameserver.replica_not_there"), 1u);

  replica_.Load(1);
  replica_.CloseWriter();
  std::filesystem::create_directory(later);
  for (const char* name : {"data.mdb", "lock.mdb"}) std::filesystem::rename(replica_.directory() + "/" + name, later + "/" + name);
  source.Tick(Clock::now());

  EXPECT_NE(Must(session.Open()).snapshot(), nullptr);
}

TEST_F(ReplicaSessionTest, DamagesAreToldOnceUntilTheyChange) {
  ReplicaSource source(replica_.directory(), Remember());

  for (const char* damages : {"", " one;", " one;", " two;", "", " two;"}) source.ReportDamages(damages);

  EXPECT_EQ(CountLines("nameserver.zone_damaged"), 3u);
}

/// Which version of the zone a query's snapshot shows.
dns::Serial SerialOf(const Session::Use& use, const dns::Name& apex) {
  return Must(use.snapshot()->FindZone(apex.wire()))->position.serial;
}

TEST_F(ReplicaSessionTest, AnIdleSessionIsMovedOnSoThatItHoldsNoOldVersion) {
  replica_.Load(1);
  ReplicaSource source(replica_.writer().environment(), Remember());
  Session session(source);
  EXPECT_EQ(SerialOf(Must(session.Open()), replica_.apex), 1U);
  replica_.Load(2);

  source.Tick(Clock::now());
  EXPECT_EQ(SerialOf(Must(session.Continue()), replica_.apex), 1U) << "a query is not interrupted";
  source.MoveIdleOn(Clock::now() + ReplicaSource::kIdle);

  const auto continued = session.Continue();
  ASSERT_FALSE(continued.has_value()) << "what slept so long must ask again";
  EXPECT_EQ(continued.error().reason, Reason::kUnavailable);
  EXPECT_EQ(SerialOf(Must(session.Open()), replica_.apex), 2U);
}

TEST_F(ReplicaSessionTest, AVersionThatBringsZonesIsAnsweredFromOnceEveryQueryWasOpenedAfterTheyWereTold) {
  std::vector<Octets> told;
  ZoneNews news([&](OctetsView apex, std::optional<replica::ZoneNumber>) { told.emplace_back(apex); },
                [](const std::vector<OctetsView>&) {});
  ReplicaSource source(replica_.writer().environment(), Remember(), &news);
  Session session(source);
  Session other(source);
  const auto begun = Clock::now();
  const auto sees_zone = [&](Session& asked, Clock::duration after) {
    return Must(Must(asked.Open(begun + after)).snapshot()->FindZone(replica_.apex.wire())).has_value();
  };
  EXPECT_FALSE(sees_zone(session, {}));
  EXPECT_FALSE(sees_zone(other, {}));
  replica_.Load(1);

  EXPECT_FALSE(sees_zone(session, std::chrono::milliseconds(1))) << "PowerDNS may have looked for the zone before that";
  EXPECT_EQ(told, std::vector<Octets>{Octets(replica_.apex.wire())}) << "who looks from now on finds it";
  EXPECT_FALSE(sees_zone(other, ReplicaSource::kSettle));
  EXPECT_TRUE(sees_zone(session, ReplicaSource::kSettle + std::chrono::milliseconds(1)));
  EXPECT_TRUE(sees_zone(other, ReplicaSource::kSettle + std::chrono::milliseconds(1))) << "for both at the same moment";
}

TEST_F(ReplicaSessionTest, WhoDoesNotGoByPowerDnssListHasANewZoneAtOnce) {
  std::vector<Octets> told;
  ZoneNews news([&](OctetsView apex, std::optional<replica::ZoneNumber>) { told.emplace_back(apex); },
                [](const std::vector<OctetsView>&) {});
  ReplicaSource source(replica_.writer().environment(), Remember(), &news);
  Session transfer(source);
  const auto begun = Clock::now();
  const auto sees_zone = [&](const Session::Use& use) { return Must(use.snapshot()->FindZone(replica_.apex.wire())).has_value(); };
  EXPECT_FALSE(sees_zone(Must(transfer.Open(begun))));
  replica_.Load(1);
  EXPECT_FALSE(sees_zone(Must(transfer.Open(begun)))) << "a query waits";

  EXPECT_TRUE(sees_zone(Must(transfer.OpenNewest(begun))));
  EXPECT_EQ(told, std::vector<Octets>{Octets(replica_.apex.wire())}) << "and PowerDNS's list has it, too";
}

TEST_F(ReplicaSessionTest, AVersionThatHadToWaitIsNotAnsweredFromWhenThereIsANewerOne) {
  ZoneNews news([](OctetsView, std::optional<replica::ZoneNumber>) {}, [](const std::vector<OctetsView>&) {});
  ReplicaSource source(replica_.writer().environment(), Remember(), &news);
  Session session(source);
  Session other(source);
  const auto begun = Clock::now();
  Must(session.Open(begun));
  replica_.Load(1);
  Must(session.Open(begun));
  replica_.Load(2);
  Must(other.Open(begun));

  EXPECT_EQ(SerialOf(Must(session.Open(begun + std::chrono::seconds(1))), replica_.apex), 2U);
}

TEST_F(ReplicaSessionTest, ADamagedPageCostsOnlyTheNamesOnIt) {
  replica_.Load(1);
  replica_.CloseWriter();
  ReplicaSource source(replica_.directory(), Remember());
  Session session(source);
  const auto find = [&](const Session::Use& use) { return use.snapshot()->FindZone(replica_.apex.wire()); };
  ASSERT_TRUE(find(Must(session.Open())));
  // For a moment, no page but the first two says what it is; LMDB takes the snapshot that has met one for broken, for good.
  constexpr std::size_t kPage = 4096;
  const std::string path = replica_.directory() + "/data.mdb";
  std::ifstream file(path, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::string spoilt = whole;
  for (std::size_t page = 2 * kPage; page < spoilt.size(); page += kPage) spoilt[page + 10] = '\0';
  std::fstream(path, std::ios::binary | std::ios::in | std::ios::out) << spoilt;
  ASSERT_FALSE(find(Must(session.Open())));
  std::fstream(path, std::ios::binary | std::ios::in | std::ios::out) << whole;
  ASSERT_FALSE(find(Must(session.Open()))) << "nothing was committed: it is the same snapshot";

  session.Spoil();

  EXPECT_TRUE(find(Must(session.Open())));
}

TEST_F(ReplicaSessionTest, PausedQueryGoesOnWhenNothingWasCommitted) {
  replica_.Load(1);
  replica_.CloseWriter();
  ReplicaSource source(replica_.directory(), Remember());
  Session session(source);
  Must(session.Open());
  source.Tick(Clock::now() + ReplicaSource::kIdle);

  EXPECT_NE(Must(session.Continue()).snapshot(), nullptr);
}

TEST_F(ReplicaSessionTest, ReplacedReplicaIsOpenedAndItsQueriesMustAskAgain) {
  replica_.Load(1);
  replica_.CloseWriter();
  ReplicaSource source(replica_.directory(), Remember());
  Session session(source);
  Must(session.Open());

  ServedReplica other;
  other.Load(2);
  other.CloseWriter();
  for (const char* name : {"data.mdb", "lock.mdb"})
    std::filesystem::rename(other.directory() + "/" + name, replica_.directory() + "/" + name);
  source.Tick(Clock::now());

  const auto continued = session.Continue();
  ASSERT_FALSE(continued.has_value());
  EXPECT_EQ(continued.error().reason, Reason::kUnavailable);
  EXPECT_EQ(Must(Must(session.Open()).snapshot()->FindZone(replica_.apex.wire()))->position.serial, 2u);
  EXPECT_EQ(CountLines("nameserver.replica_replaced"), 1u);
}

TEST_F(ReplicaSessionTest, PinnedSnapshotIsKeptUntilTheNextQuery) {
  replica_.Load(1);
  ReplicaSource source(replica_.writer().environment(), Remember());
  Session session(source);
  Must(session.Open());
  session.SetPinned(true);
  replica_.Load(2);

  source.Tick(Clock::now() + std::chrono::hours(1));
  EXPECT_EQ(SerialOf(Must(session.Continue()), replica_.apex), 1U);
  EXPECT_EQ(SerialOf(Must(session.Open()), replica_.apex), 2U);
}

}  // namespace
}  // namespace idzone::nameserver
