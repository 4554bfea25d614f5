// SPDX-License-Identifier: MIT
#include "services/process/observatory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>

namespace idzone::process {
namespace {

using ::testing::HasSubstr;

TEST(ObservatoryTest, IsNotReadyUntilToldSo) {
  const auto observatory = Observatory::Start("127.0.0.1:0");
  ASSERT_TRUE(observatory) << observatory.error().Detail();
  httplib::Client client("127.0.0.1", (*observatory)->port());

  EXPECT_EQ(client.Get("/livez")->status, 200);
  EXPECT_EQ(client.Get("/readyz")->status, 503);
  EXPECT_EQ(client.Get("/readyz")->body, "starting\n");

  (*observatory)->SetReady();
  EXPECT_EQ(client.Get("/readyz")->status, 200);
  EXPECT_TRUE((*observatory)->ready());

  (*observatory)->SetNotReady("database is away");
  EXPECT_EQ(client.Get("/readyz")->status, 503);
  EXPECT_EQ(client.Get("/readyz")->body, "database is away\n");
}

TEST(ObservatoryTest, ServesMetricsOfItsRegistry) {
  const auto observatory = Observatory::Start("127.0.0.1:0");
  ASSERT_TRUE(observatory);
  auto& family = prometheus::BuildCounter().Name("idzone_test_total").Register((*observatory)->registry());
  family.Add({{"zone", "a"}}).Increment(3);
  httplib::Client client("127.0.0.1", (*observatory)->port());

  EXPECT_THAT(client.Get("/metrics")->body, HasSubstr("idzone_test_total{zone=\"a\"} 3"));
  EXPECT_THAT(client.Get("/metrics")->body, HasSubstr("idzone_ready 0"));
  EXPECT_EQ(client.Get("/elsewhere")->status, 404);
}

TEST(ObservatoryTest, TakenPortIsAnError) {
  const auto first = Observatory::Start("127.0.0.1:0");
  ASSERT_TRUE(first);

  const auto second = Observatory::Start("127.0.0.1:" + std::to_string((*first)->port()));

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().reason, Reason::kUnavailable);
}

TEST(ObservatoryTest, MalformedAddressesAreRefused) {
  for (const char* address : {"9101", ":9101", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536"}) {
    EXPECT_EQ(Observatory::Start(address).error().reason, Reason::kValueMalformed) << address;
  }
}

TEST(ObservatoryTest, EmptyAddressListensNowhere) {
  const auto observatory = Observatory::Start("");

  ASSERT_TRUE(observatory);
  EXPECT_EQ((*observatory)->port(), 0);
}

}  // namespace
}  // namespace idzone::process
