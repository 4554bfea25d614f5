// SPDX-License-Identifier: MIT
#include "services/provisioning/zone_status.h"

#include <gtest/gtest.h>

namespace idzone::provisioning {
namespace {

using namespace std::chrono_literals;

const UnixTime kNow{1'795'000'000s};

store::ZoneStatusRecord ValidStatus() {
  store::ZoneStatusRecord status;
  status.policy = zone::FindZonePolicy("standard").value();
  status.now = kNow;
  status.last_signed_at = kNow - 10min;
  status.first_expiry = kNow + 36h;  // the least that a zone which is renewed on time ever has
  status.renew_at = kNow + 1h;
  return status;
}

std::string OnlyProblem(const store::ZoneStatusRecord& status) {
  const auto problems = ProblemsOf(status);
  EXPECT_EQ(problems.size(), 1u);
  return problems.empty() ? "" : problems.front();
}

TEST(ZoneStatusTest, AZoneThatIsRenewedOnTimeIsWell) {
  auto status = ValidStatus();
  status.oldest_revocation = kNow - 60s;
  status.oldest_enrollment = kNow - 300s;
  status.quarantine_end = kNow + 80h;
  status.renew_at = kNow - 3h;

  EXPECT_EQ(ProblemsOf(status), std::vector<std::string>());
}

TEST(ZoneStatusTest, EachThingThatIsWrongIsNamed) {
  auto waiting = ValidStatus();
  waiting.oldest_revocation = kNow - 61s;
  EXPECT_EQ(OnlyProblem(waiting), "a revocation has waited for 61 s, more than 60 s");
  auto crowded = ValidStatus();
  crowded.oldest_enrollment = kNow - 301s;
  EXPECT_EQ(OnlyProblem(crowded), "an enrollment has waited for 301 s, more than 300 s");
  auto late = ValidStatus();
  late.renew_at = kNow - 3h - 1s;
  EXPECT_EQ(OnlyProblem(late), "signing again is 10801 s late, more than 10800 s");
  auto old = ValidStatus();
  old.first_expiry = kNow + 24h - 1s;
  EXPECT_EQ(OnlyProblem(old), "a signature has 86399 s to live, less than 86400 s");
  auto alarmed = ValidStatus();
  alarmed.alarms.push_back({"CLOCK_DOUBT", "clock: expected …", kNow - 1h, kNow});
  EXPECT_EQ(OnlyProblem(alarmed), "CLOCK_DOUBT clock: expected …");
}

TEST(ZoneStatusTest, SecondariesOfALargeZoneAreTooSlowForAPolicyOfShortTtls) {
  auto status = ValidStatus();
  EXPECT_FALSE(SecondaryBoundOf(status).has_value());
  status.node_count = 200'000;
  status.secondaries.push_back({.secondary_id = "nsd", .edge_id = "transfer-1", .notify_period = 10s});
  EXPECT_EQ(SecondaryBoundOf(status), 106s);
  EXPECT_EQ(ProblemsOf(status), std::vector<std::string>());
  status.policy.ttl = 60;

  EXPECT_TRUE(OnlyProblem(status).starts_with("foreign secondaries serve what was revoked for up to 106 s after the edges"));
}

TEST(ZoneStatusTest, EverythingThatIsWrongIsSaid) {
  auto status = ValidStatus();
  status.oldest_revocation = status.oldest_enrollment = status.renew_at = kNow - 100h;
  status.first_expiry = kNow - 1s;

  EXPECT_EQ(ProblemsOf(status).size(), 4u);
  EXPECT_EQ(ProblemsOf(status).back(), "a signature has -1 s to live, less than 86400 s");
}

}  // namespace
}  // namespace idzone::provisioning
