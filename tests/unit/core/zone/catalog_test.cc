// SPDX-License-Identifier: MIT
#include "services/core/zone/catalog.h"

#include <gtest/gtest.h>

#include "services/core/base/limits.h"

namespace idzone::zone {
namespace {

const UnixTime kNow{std::chrono::seconds(1'764'040'000)};

dns::Name N(const std::string& text) {
  return dns::Name::Parse(text).value();
}

TEST(CatalogTest, WhatIsWrittenIsRead) {
  const Catalog catalog{N("catalog.example."), 7, {N("_device.acme.example."), N("_user.acme.example.")}};
  EXPECT_EQ(FormatCatalog(catalog), "catalog catalog.example.\nserial 7\nzone _device.acme.example.\nzone _user.acme.example.\n");
  EXPECT_EQ(ParseCatalog(FormatCatalog(catalog)).value(), catalog);
}

TEST(CatalogTest, ZonesComeAndNeverLeaveByThemselves) {
  Catalog catalog{N("catalog.example."), 7, {N("b.example.")}};
  EXPECT_FALSE(AddZones(catalog, {}));
  EXPECT_FALSE(AddZones(catalog, {N("b.example.")}));
  EXPECT_TRUE(AddZones(catalog, {N("c.example."), N("a.example.")}));
  EXPECT_EQ(catalog.zones, (std::vector<dns::Name>{N("a.example."), N("b.example."), N("c.example.")}));
}

TEST(CatalogTest, MoreZonesThanTheLimitAddNone) {
  Catalog catalog{N("catalog.example."), 7, {N("b.example.")}};
  std::vector<dns::Name> many;
  for (std::size_t i = 0; i < limits::kCatalogZonesMax; ++i) many.push_back(N("z" + std::to_string(i) + "."));
  EXPECT_FALSE(AddZones(catalog, many));
  EXPECT_EQ(catalog.zones.size(), 1u);
}

TEST(CatalogTest, SerialsRiseWithTimeAndWithoutIt) {
  EXPECT_EQ(NextCatalogSerial(0, kNow), 1'764'040'000u);
  EXPECT_EQ(NextCatalogSerial(1'764'039'999, kNow), 1'764'040'000u);
  EXPECT_EQ(NextCatalogSerial(1'764'040'000, kNow), 1'764'040'001u);
  EXPECT_EQ(NextCatalogSerial(1'764'040'005, kNow), 1'764'040'006u);
  EXPECT_EQ(NextCatalogSerial(0xffffffff, kNow), 1'764'040'000u) << "RFC 1982: what follows 2^32-1 begins again";
}

TEST(CatalogTest, WhatIsMalformedIsRefusedByItsLine) {
  const std::string good = "catalog c.\nserial 7\n";
  EXPECT_EQ(ParseCatalog("").error().reason, Reason::kValueMissing);
  EXPECT_EQ(ParseCatalog("catalog c.\n").error().reason, Reason::kValueMissing);
  for (const char* line : {"serial 0", "serial x", "serial 7 8", "serial 4294967296", "catalog d.", "zones a.", "zone"}) {
    const auto read = ParseCatalog(good + line);
    ASSERT_FALSE(read) << line;
    EXPECT_EQ(read.error().subject, "catalog, line 3") << line;
  }
}

}  // namespace
}  // namespace idzone::zone
