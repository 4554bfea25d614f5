// SPDX-License-Identifier: MIT
#include "zone-signer/signing/batch_signer.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "services/core/dns/denial.h"
#include "services/core/dns/signature_check.h"

namespace idzone::signer::signing {
namespace {

const dns::Name kZone = dns::Name::Parse("_device.example.").value();
constexpr UnixTime kNow(std::chrono::seconds(1'800'000'000));
constexpr std::chrono::hours kLife(72);
constexpr std::chrono::hours kOffset(1);

std::vector<SigningJob> Jobs(int count) {
  std::vector<SigningJob> jobs;
  for (int i = 0; i < count; ++i) {
    const dns::Name owner = kZone.Prepend("dev" + std::to_string(i)).value();
    jobs.push_back({owner, dns::RrType::kTlsa, 300, {Octets("\x03\x01\x01", 3) + Sha256(owner.wire())}, kLife, {}});
    const dns::DenialKey key = dns::Nsec3Hash(owner);
    jobs.push_back({dns::Nsec3Owner(key, kZone),
                    dns::RrType::kNsec3,
                    300,
                    {dns::EncodeNsec3(Sha1(key), {dns::RrType::kTlsa, dns::RrType::kRrsig})},
                    kLife,
                    {}});
  }
  return jobs;
}

Result<void> Check(const SigningJob& job, const std::vector<Octets>& dnskeys, UnixTime now) {
  return dns::CheckSignature(job.owner, job.type, job.ttl, job.rdatas, job.rrsigs.front(), kZone, dnskeys, now);
}

/// The parameter is the algorithm.
class BatchSignerTest : public ::testing::TestWithParam<std::uint8_t> {
 protected:
  keys::SigningKey key_ = keys::SigningKey::Generate(GetParam()).value();
  std::vector<Octets> dnskeys_{key_.dnskey()};
  keys::ZoneKeys keys_ = keys::ZoneKeys::Single(key_);
  ZoneSigning zone_{kZone, keys_, dnskeys_, kNow, kOffset};
};

TEST_P(BatchSignerTest, SignsEveryJobSoThatLdnsAgrees) {
  for (const int threads : {1, 2, 5}) {
    auto jobs = Jobs(100);

    ASSERT_TRUE(BatchSigner(threads, 64).Sign(zone_, jobs).has_value());

    for (const SigningJob& job : jobs) {
      const auto checked = Check(job, dnskeys_, kNow);
      ASSERT_TRUE(checked.has_value()) << checked.error().Detail();
    }
  }
}

TEST_P(BatchSignerTest, TellsInOrderOfWhatIsSignedWhileTheRestIsBeingSigned) {
  for (const int threads : {1, 2, 5}) {
    auto jobs = Jobs(1000);
    std::vector<std::size_t> told;
    std::size_t unsigned_jobs = 0;

    const auto made = BatchSigner(threads, 64).Sign(std::span(&zone_, 1), jobs, [&](std::size_t count) {
      told.push_back(count);
      for (std::size_t i = 0; i < count; ++i) unsigned_jobs += jobs[i].rrsigs.empty() ? 1 : 0;
      return Result<void>();
    });

    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(unsigned_jobs, 0u);
    EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
    EXPECT_EQ(told.back(), jobs.size());
    EXPECT_GT(told.size(), 1u);
  }
}

TEST_P(BatchSignerTest, TellsOfNothingFromAFailureOn) {
  auto jobs = Jobs(1000);
  jobs[1200].rdatas = {"zz", "aa"};  // descending: its verification fails
  std::size_t told = 0;

  const auto made = BatchSigner(2, 1).Sign(std::span(&zone_, 1), jobs, [&](std::size_t count) {
    told = count;
    return Result<void>();
  });

  EXPECT_FALSE(made.has_value());
  EXPECT_LE(told, 1200u);
}

TEST_P(BatchSignerTest, EndsWhenWhoIsToldSaysSo) {
  auto jobs = Jobs(5000);
  int told = 0;

  const auto made = BatchSigner(2, 64).Sign(std::span(&zone_, 1), jobs, [&](std::size_t) -> Result<void> {
    ++told;
    return Fail(Reason::kCancelled, "batch", "to go on", "an end");
  });

  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().reason, Reason::kCancelled);
  EXPECT_EQ(told, 1);
}

TEST_P(BatchSignerTest, SignaturesBeginEarlyAndEndWithTheirLife) {
  auto jobs = Jobs(1);
  ASSERT_TRUE(BatchSigner(1, 1).Sign(zone_, jobs).has_value());

  EXPECT_TRUE(Check(jobs[0], dnskeys_, kNow - kOffset).has_value());
  EXPECT_FALSE(Check(jobs[0], dnskeys_, kNow - kOffset - std::chrono::seconds(1)).has_value());
  EXPECT_TRUE(Check(jobs[0], dnskeys_, kNow + kLife).has_value());
  EXPECT_FALSE(Check(jobs[0], dnskeys_, kNow + kLife + std::chrono::seconds(1)).has_value());
}

TEST_P(BatchSignerTest, RefusesToPublishWhatThePublishedKeyDoesNotVerify) {
  const std::vector<Octets> others{keys::SigningKey::Generate(GetParam())->dnskey()};
  auto jobs = Jobs(50);

  const auto made = BatchSigner(2, 64).Sign(ZoneSigning{kZone, keys_, others, kNow, kOffset}, jobs);

  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().reason, Reason::kSignatureInvalid);
}

TEST_P(BatchSignerTest, RefusesRecordsThatAreNotCanonical) {
  auto jobs = Jobs(1);
  jobs[0].rdatas = {"\x03\x01\x01zz",
                    "\x03\x01\x01"
                    "aa"};  // descending

  EXPECT_FALSE(BatchSigner(1, 1).Sign(zone_, jobs).has_value());
}

TEST_P(BatchSignerTest, EachKeySignsWhatItIsFor) {
  const auto with = [&](zone::KeyRole role) {
    return keys::MakeZoneKey(keys::SigningKey::Generate(GetParam()).value(), role, zone::AllUses(role));
  };
  const keys::ZoneKeys split({with(zone::KeyRole::kKsk), with(zone::KeyRole::kZsk)});
  const auto dnskeys = split.Dnskeys();
  std::vector<SigningJob> jobs = Jobs(10);
  jobs.push_back({kZone, dns::RrType::kDnskey, 300, dnskeys, kLife, {}});
  std::sort(jobs.back().rdatas.begin(), jobs.back().rdatas.end());

  ASSERT_TRUE(BatchSigner(2, 64).Sign(ZoneSigning{kZone, split, dnskeys, kNow, kOffset}, jobs).has_value());

  for (const SigningJob& job : jobs) {
    ASSERT_TRUE(split.AreSignedBy(job.rrsigs, job.type).value());
    EXPECT_TRUE(Check(job, dnskeys, kNow).has_value());
  }
}

TEST_P(BatchSignerTest, VerifiesTheFirstSignatureOfEachKey) {
  const keys::SigningKey other = keys::SigningKey::Generate(GetParam()).value();
  const keys::ZoneKeys both({keys::MakeZoneKey(key_, zone::KeyRole::kCsk, zone::AllUses(zone::KeyRole::kCsk)),
                             keys::MakeZoneKey(other, zone::KeyRole::kCsk, zone::AllUses(zone::KeyRole::kCsk))});
  auto jobs = Jobs(1);

  const auto made = BatchSigner(1, 1000).Sign(ZoneSigning{kZone, both, dnskeys_, kNow, kOffset}, jobs);

  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().reason, Reason::kSignatureInvalid);
}

TEST_P(BatchSignerTest, SignsNothing) {
  EXPECT_TRUE(BatchSigner(2, 64).Sign(zone_, {}).has_value());
}

TEST_P(BatchSignerTest, TellsAgeAndRest) {
  auto jobs = Jobs(1);
  ASSERT_TRUE(BatchSigner(1, 1).Sign(zone_, jobs).has_value());

  const UnixTime later = kNow + std::chrono::hours(5);
  EXPECT_EQ(SignatureAge(jobs[0].rrsigs.front(), later, kOffset).value(), std::chrono::hours(5));
  EXPECT_EQ(SignatureRest(jobs[0].rrsigs.front(), later).value(), kLife - std::chrono::hours(5));
  EXPECT_EQ(SignatureAge(jobs[0].rrsigs.front(), kNow - std::chrono::hours(2), kOffset).value(), -std::chrono::hours(2));
  EXPECT_FALSE(SignatureAge("short", later, kOffset).has_value());
}

INSTANTIATE_TEST_SUITE_P(EachAlgorithm, BatchSignerTest, ::testing::Values(13, 15));

}  // namespace
}  // namespace idzone::signer::signing
