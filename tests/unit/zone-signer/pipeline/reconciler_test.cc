// SPDX-License-Identifier: MIT
// The reconciler against PostgreSQL, its clock running fast: hours pass in seconds.
#include "zone-signer/pipeline/reconciler.h"

#include <gtest/gtest.h>

#include <prometheus/registry.h>
#include <array>
#include <atomic>
#include <filesystem>
#include <pqxx/pqxx>
#include <thread>

#include "services/core/base/limits.h"
#include "services/core/identity/subject.h"
#include "services/core/zone/denial_signatures.h"
#include "services/store/registry_enrollment.h"
#include "services/store/registry_namespace.h"
#include "tests/unit/sealing/temporary_directory.h"
#include "tests/unit/store/postgres_cluster.h"
#include "zone-signer/pipeline/zone_work.h"

namespace idzone::signer::pipeline {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr int kSpeed = 300;  // `fast` signs again each hour: each 12 s of this test
constexpr int kNames = 800;
constexpr int kFloodMax = 3000;
constexpr int kLargeNames = 2000;  // 8 MiB of them, twice what the feed sends at once
constexpr int kSmallZones = 40;
constexpr auto kLasts = 24s;  // two re-sign periods

/// Begins now and runs ahead.
class FastClock : public Clock {
 public:
  UnixTime Now() const override {
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - begin_);
    return start_ + std::chrono::seconds(passed.count() * kSpeed / 1000);
  }

 private:
  const SteadyClock::time_point begin_ = SteadyClock::now();
  const UnixTime start_ = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
};

class ReconcilerTest : public testing::Test {
 protected:
  friend class HeldRevocation;

  store::NamespaceRecord MakeNamespace(const std::string& domain) {
    auto wanted = store::ValidNamespace(domain);
    wanted.policy = "fast";
    wanted.layout = zone::MakeLayout(zone::LayoutKind::kFlat, 0).value();
    return store::CreateNamespace(registry_, store::TestActor(), wanted).value();
  }
  store::Enrollment Item(const std::shared_ptr<const store::NamespaceRecord>& home, const std::string& subject) const {
    const auto id = identity::Subject::Parse(identity::SubjectForm::kLabel, subject);
    return {.home = home,
            .identity_id = identity::MakeIdentityId(home->name.wire(), *id),
            .subject = subject,
            .fingerprint = Sha256(subject + home->name.Format()),
            .rdata = Octets("\3\1\1", 3) + Sha256(subject),
            .actor = store::TestActor()};
  }
  int Enroll(const store::NamespaceRecord& home, const std::string& prefix, int count, int from = 0) {
    const auto shared = std::make_shared<const store::NamespaceRecord>(home);
    int done = 0;
    for (int begin = 0; begin < count; begin += 20) {
      std::vector<store::Enrollment> items;
      for (int i = begin; i < std::min(begin + 20, count); ++i) items.push_back(Item(shared, prefix + std::to_string(from + i)));
      for (const auto& outcome : store::EnrollBatch(registry_, items)) done += outcome ? 1 : 0;
    }
    return done;
  }
  void Revoke(const store::NamespaceRecord& home, const std::string& subject) {
    const auto item = Item(std::make_shared<const store::NamespaceRecord>(home), subject);
    ASSERT_TRUE(store::RevokeBatch(registry_, {{item.home, item.identity_id, item.subject, "", store::TestActor()}})[0]);
  }
  std::int64_t Number(const std::string& sql) const { return std::stoll(store::PostgresCluster::Query(url_, sql)); }

  bool WaitForNone(const std::string& counted) const {
    for (int i = 0; i < 1200; ++i) {
      if (Number(counted) == 0) return true;
      std::this_thread::sleep_for(50ms);
    }
    return false;
  }

  /// How many transactions were given up for a revocation, by any reconciler of this test.
  double GivenUp() const {
    double count = 0;
    for (const auto& family : observatory_->registry().Collect()) {
      if (family.name != "idzone_signer_given_up_total") continue;
      for (const auto& metric : family.metric) count += metric.counter.value;
    }
    return count;
  }

  std::int64_t KeyFiles() const {
    const std::filesystem::directory_iterator files(key_files_.path());
    return std::distance(begin(files), end(files));
  }

  /// Puts into the queue again what is published already: work without end that makes no zone grow.
  void Restate(const store::NamespaceRecord& home, int batches) {
    store::PostgresCluster::Execute(
        url_, "insert into registry.dirty_batch (batch_id, namespace_id, kind, identity_ids) select nextval('registry.batch_id'), " +
                  std::to_string(home.namespace_id) +
                  ", 2, (select array_agg(i.identity_id) from (select identity_id from registry.identity" +
                  " where namespace_id = " + std::to_string(home.namespace_id) + " order by identity_id limit 100) i)" +
                  " from generate_series(1, " + std::to_string(batches) + ")");
  }

  /// The least remaining life of a zone's signatures that the sweep is for, read from every node.
  std::chrono::seconds LeastRest(std::int32_t zone_id) {
    std::chrono::seconds least = 1000h;
    const UnixTime now = clock_.Now();
    const auto read = signer_database_.Transact("read", [&](store::Transaction& transaction) -> Result<void> {
      Octets after;
      while (true) {
        const auto rows = store::LoadSweepRange(transaction, zone_id, dns::DenialKind::kNsec3, {after, Octets(20, '\xff'), 500});
        if (!rows) return tl::unexpected(rows.error());
        if (rows->empty()) return {};
        for (const store::NodeRow& row : *rows) {
          for (const Octets& rrsig : zone::DecodeDenialSignatures(row.denial.rrsig))
            least = std::min(least, signing::SignatureRest(rrsig, now).value());
          for (const dns::RrSet& rrset : row.rrsets) {
            for (const Octets& rrsig : rrset.rrsigs) least = std::min(least, signing::SignatureRest(rrsig, now).value());
          }
        }
        after = store::SweepPlaceOf(dns::DenialKind::kNsec3, rows->back());
      }
    });
    EXPECT_TRUE(read) << read.error().Detail();
    return least;
  }

  const std::string url_ = store::PostgresCluster::Get().NewDatabase();
  store::Database registry_{{.url = store::PostgresCluster::As(url_, "idzone_provisiond"), .application_name = "registry"}};
  store::Database signer_database_{{.url = store::PostgresCluster::As(url_, "idzone_signerd"),
                                    .application_name = "signer",
                                    .connections_max = 2,
                                    .settings = store::SignerSessionSettings()}};
  store::HintListener listener_{store::PostgresCluster::As(url_, "idzone_signerd"), store::kDirtyHint};
  sealing::TemporaryDirectory key_files_;
  sealing::TemporaryDirectory outside_;
  keys::KeyStore keys_{keys::KeyDirectory::Open(key_files_.path(), outside_.Write("kek", Octets(32, 'k'))).value()};
  const signing::BatchSigner signer_{2, 64};
  const FastClock clock_;
  std::unique_ptr<process::Observatory> observatory_ = process::Observatory::Start("").value();
  Reconciler reconciler_{{signer_database_, listener_, keys_, signer_, clock_, *observatory_},
                         {.batch_max = 100, .poll = 20ms, .journal_keep = 1000h, .journal_octets_max = 1 << 30, .clock_skew_max = 0s}};
};

/// A revocation that is in line, and that no signer can take as long as this lives.
class HeldRevocation {
 public:
  HeldRevocation(ReconcilerTest& test, const store::NamespaceRecord& home, const std::string& subject)
      : connection_(test.url_), transaction_(connection_) {
    test.Revoke(home, subject);
    EXPECT_EQ(transaction_.exec("select batch_id from registry.dirty_batch where kind = 1 for update").size(), 1);
  }

 private:
  pqxx::connection connection_;
  pqxx::work transaction_;
};

/// What somebody else has locked for as long as this lives.
class HeldLock {
 public:
  HeldLock(const std::string& url, const std::string& locks) : connection_(url), transaction_(connection_) { transaction_.exec(locks); }

 private:
  pqxx::connection connection_;
  pqxx::work transaction_;
};

// Enrollments that never end, in one zone, beside forty others: every signature is renewed in time, and revocations overtake.
TEST_F(ReconcilerTest, NoFloodOfEnrollmentsStarvesASweepOrARevocation) {
  const auto large = MakeNamespace("large.example.");
  std::vector<store::NamespaceRecord> small;
  for (int i = 0; i < kSmallZones; ++i) small.push_back(MakeNamespace("small" + std::to_string(i) + ".example."));
  ASSERT_EQ(Enroll(large, "old", kNames), kNames);
  for (const auto& home : small) ASSERT_EQ(Enroll(home, "old", 5), 5);
  std::jthread signing([&](const std::stop_token& stop) { reconciler_.Run(stop); });
  ASSERT_TRUE(WaitForNone("select count(*) from registry.dirty_batch"));

  const auto end = SteadyClock::now() + kLasts;
  int flooded = 0, looks = 0, busy = 0;
  std::chrono::milliseconds slowest_revocation{0};
  while (SteadyClock::now() < end) {
    if (flooded < kFloodMax) flooded += Enroll(large, "new", 20, flooded);
    if (Number("select count(*) from registry.dirty_batch") < 100) Restate(large, 100);
    ++looks;
    busy += Number("select count(*) from registry.dirty_batch") > 0 ? 1 : 0;
    if (looks % 10 == 0) {
      const auto asked = SteadyClock::now();
      Revoke(large, "old" + std::to_string(looks / 10));
      ASSERT_TRUE(WaitForNone("select count(*) from registry.dirty_batch where kind = 1"));
      slowest_revocation = std::max(slowest_revocation, std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - asked));
    }
    std::this_thread::sleep_for(20ms);
  }

  const auto policy = zone::FindZonePolicy("fast").value();
  const auto margin = policy.identity.life - 2 * policy.identity.resign;
  std::chrono::seconds least = 1000h;
  for (std::int64_t zone_id = 1; zone_id <= Number("select max(zone_id) from published.zone"); ++zone_id) {
    const UnixTime told(
        std::chrono::seconds(Number("select extract(epoch from least(expires_behind, expires_ahead))::bigint from published.zone"
                                    " where zone_id = " +
                                    std::to_string(zone_id))));
    const auto promised = told - clock_.Now();
    const auto rest = LeastRest(static_cast<std::int32_t>(zone_id));
    EXPECT_LE(promised, rest + 600s) << "zone status never promises more than there is; while it is read, a few minutes pass";
    least = std::min(least, rest);
  }
  signing.request_stop();
  EXPECT_GT(flooded, 400);
  EXPECT_GT(busy, looks * 8 / 10) << "the queue was never left empty";
  EXPECT_GE(least, margin) << "two periods have passed since the first names were signed";
  EXPECT_LT(slowest_revocation, 5s) << "a revocation waits for one batch under way, not for the queue";
  RecordProperty("flooded", flooded);
  std::printf("%d enrolled beside, least rest %ld s (margin %ld s), slowest revocation %ld ms\n", flooded, static_cast<long>(least.count()),
              static_cast<long>(margin.count()), static_cast<long>(slowest_revocation.count()));
}

TEST_F(ReconcilerTest, VersionsOfLargeRecordsFitTheFeed) {
  const auto home = MakeNamespace("large.example.");
  const auto shared = std::make_shared<const store::NamespaceRecord>(home);
  for (int begin = 0; begin < kLargeNames; begin += 20) {
    std::vector<store::Enrollment> items;
    for (int i = begin; i < begin + 20; ++i) {
      items.push_back(Item(shared, "large" + std::to_string(i)));
      items.back().rdata = Octets("\3\0\0", 3) + Octets(4000, 'c');
    }
    for (const auto& outcome : store::EnrollBatch(registry_, items)) ASSERT_TRUE(outcome);
  }
  Reconciler eager(
      {signer_database_, listener_, keys_, signer_, clock_, *observatory_},
      {.batch_max = 10'000, .transaction_target = 60s, .journal_keep = 1000h, .journal_octets_max = 1 << 30, .clock_skew_max = 0s});

  std::jthread signing([&](const std::stop_token& stop) { eager.Run(stop); });

  ASSERT_TRUE(WaitForNone("select count(*) from registry.dirty_batch"));
  EXPECT_EQ(Number("select count(*) from published.node"), 1 + kLargeNames);
  EXPECT_LT(Number("select max(octet_length(delta)) from published.version"), limits::kFeedMessageOctetsMax - 64 * 1024);
  EXPECT_LT(Number("select count(*) from published.version"), 20) << "many in each all the same";
}

TEST_F(ReconcilerTest, EnrollmentsGiveWayToARevocationThatComesMeanwhile) {
  const auto home = MakeNamespace("large.example.");
  ASSERT_EQ(Enroll(home, "old", 1), 1);
  {
    std::jthread signing([&](const std::stop_token& stop) { reconciler_.Run(stop); });
    ASSERT_TRUE(WaitForNone("select count(*) from registry.dirty_batch"));
  }
  ASSERT_EQ(Enroll(home, "new", kNames), kNames);
  // As if it had come when the enrollments were already taken.
  const HeldRevocation held(*this, home, "old0");
  const auto publish = [&](std::optional<GiveWay> gives_way) {
    return signer_database_.Transact("publish", [&](store::Transaction& transaction) -> Result<WorkOutcome> {
      return PublishChanges(transaction, store::ListZoneWork(transaction)->front(), {keys_, signer_, kNames, clock_.Now(), gives_way});
    });
  };

  const auto given_up = publish(GiveWay{});

  ASSERT_FALSE(given_up);
  EXPECT_EQ(given_up.error().reason, Reason::kCancelled);
  EXPECT_EQ(Number("select count(*) from published.node"), 2) << "the apex and old0";
  const std::array left_alone = {home.namespace_id};
  ASSERT_TRUE(publish(GiveWay{left_alone})) << "a revocation that has to wait for something else";
  ASSERT_EQ(Enroll(home, "other", kNames), kNames);
  const auto published = publish(std::nullopt);
  ASSERT_TRUE(published) << published.error().Detail();
  EXPECT_EQ(published->identities, kNames);
  EXPECT_EQ(Number("select count(*) from published.node"), 2 + 2 * kNames);
}

// A revocation that is always in line, because somebody holds its row, is the worst of all floods.
TEST_F(ReconcilerTest, WhatGaveWayGoesThroughTheNextTime) {
  const auto home = MakeNamespace("large.example.");
  ASSERT_EQ(Enroll(home, "old", kNames), kNames);
  Reconciler eager({signer_database_, listener_, keys_, signer_, clock_, *observatory_}, {.batch_max = 10'000,
                                                                                          .transaction_target = 60s,
                                                                                          .hurried_target = 60s,
                                                                                          .journal_keep = 1000h,
                                                                                          .journal_octets_max = 1 << 30,
                                                                                          .clock_skew_max = 0s});
  {
    std::jthread signing([&](const std::stop_token& stop) { eager.Run(stop); });
    ASSERT_TRUE(WaitForNone("select count(*) from registry.dirty_batch"));
  }
  ASSERT_EQ(Enroll(home, "new", kNames), kNames);
  const HeldRevocation held(*this, home, "old0");
  std::this_thread::sleep_for(13s);  // more than a re-sign period: all signatures are old

  std::jthread signing([&](const std::stop_token& stop) { eager.Run(stop); });

  EXPECT_TRUE(WaitForNone("select count(*) from registry.dirty_batch where kind = 2"));
  const auto life = zone::FindZonePolicy("fast").value().identity.life;
  std::chrono::seconds least = 0s;
  for (int i = 0; i < 1200 && least < life - 50min; ++i) {
    std::this_thread::sleep_for(50ms);
    least = LeastRest(1);
  }
  EXPECT_GE(least, life - 50min) << "all were signed again";
  signing.request_stop();
  EXPECT_GE(GivenUp(), 2) << "enrollments and renewals";
}

// PostgreSQL answers "not in time" for one namespace, again and again: that is not PostgreSQL's end.
TEST_F(ReconcilerTest, NamespaceThatIsHeldUpHoldsUpNoOther) {
  const auto held = MakeNamespace("held.example.");
  const auto free = MakeNamespace("free.example.");
  const auto queue = [](const store::NamespaceRecord& home) {
    return "select count(*) from registry.dirty_batch where namespace_id = " + std::to_string(home.namespace_id);
  };
  std::jthread signing([&](const std::stop_token& stop) { reconciler_.Run(stop); });
  ASSERT_EQ(Enroll(held, "old", 20), 20);
  ASSERT_EQ(Enroll(free, "old", 20), 20);
  ASSERT_TRUE(WaitForNone("select count(*) from registry.dirty_batch"));
  {
    const HeldLock lock(url_, "select 1 from published.node where zone_id = (select zone_id from published.zone where namespace_id = " +
                                  std::to_string(held.namespace_id) + ") for update");
    ASSERT_EQ(Enroll(held, "new", 20), 20);

    ASSERT_EQ(Enroll(free, "new", 20), 20);

    EXPECT_TRUE(WaitForNone(queue(free)));
    EXPECT_TRUE(WaitForNone("select 1 - count(*) from published.alarm where namespace_id = " + std::to_string(held.namespace_id)))
        << "operators hear of the other";
    EXPECT_EQ(Number(queue(held)), 1);
  }
  EXPECT_TRUE(WaitForNone(queue(held)));
  EXPECT_TRUE(WaitForNone("select count(*) from published.alarm"));
}

TEST_F(ReconcilerTest, RollThatIsHeldUpHoldsUpNoOther) {
  const auto held = MakeNamespace("held.example.");
  const auto free = MakeNamespace("free.example.");
  const auto not_begun = [](const store::NamespaceRecord& home) {
    return "select count(*) from published.keyset where style is null and namespace_id = " + std::to_string(home.namespace_id);
  };
  std::jthread signing([&](const std::stop_token& stop) { reconciler_.Run(stop); });
  ASSERT_TRUE(WaitForNone("select 2 - count(*) from published.keyset where settled_revision = revision"));
  {
    const HeldLock lock(url_, "select 1 from published.key where namespace_id = " + std::to_string(held.namespace_id) + " for update");

    store::PostgresCluster::Execute(url_,
                                    "insert into registry.key_command (namespace_id, kind, style, algorithm)"
                                    " select namespace_id, 1, 1, 13 from published.keyset order by namespace_id");

    EXPECT_TRUE(WaitForNone(not_begun(free)));
    EXPECT_TRUE(WaitForNone("select 1 - count(*) from published.alarm where namespace_id = " + std::to_string(held.namespace_id)));
    EXPECT_EQ(Number(not_begun(held)), 1);
  }
  EXPECT_TRUE(WaitForNone(not_begun(held)));
  EXPECT_TRUE(WaitForNone("select count(*) from published.alarm"));
  EXPECT_EQ(KeyFiles(), Number("select count(*) from published.key")) << "those of the steps that failed are gone";
}

TEST_F(ReconcilerTest, ZoneThatCannotBeMadeLeavesNoKeysBehind) {
  const auto home = MakeNamespace("late.example.");
  std::jthread signing;
  {
    const HeldLock lock(url_, "lock table published.keyset in share mode");
    signing = std::jthread([&](const std::stop_token& stop) { reconciler_.Run(stop); });

    EXPECT_TRUE(WaitForNone("select 1 - count(*) from published.alarm where namespace_id = " + std::to_string(home.namespace_id)));
  }

  EXPECT_TRUE(WaitForNone("select 1 - count(*) from published.zone"));
  EXPECT_EQ(KeyFiles(), 1);
}

}  // namespace
}  // namespace idzone::signer::pipeline
