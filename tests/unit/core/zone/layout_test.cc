// SPDX-License-Identifier: MIT
#include "services/core/zone/layout.h"

#include <gtest/gtest.h>

namespace idzone::zone {
namespace {

using dns::Name;
using identity::DeviceId;

const Name kApex = Name::Parse("_device.acme.example").value();
const DeviceId kSensor = DeviceId::Parse("sensor7").value();

TEST(LayoutTest, FlatPutsTheIdBelowTheApex) {
  EXPECT_EQ(OwnerName(MakeLayout(LayoutKind::kFlat, 0).value(), kApex, kSensor).value().Format(), "sensor7._device.acme.example.");
}

// printf sensor7 | sha256sum
TEST(LayoutTest, TreePutsLeadingHexDigitsOfTheHashBetween) {
  const std::string hash = "f993d189abed4ee1eeffcf07f7428674de32dc9224afe6316203d21281748167";
  EXPECT_EQ(OwnerName(MakeLayout(LayoutKind::kTree, 0).value(), kApex, kSensor).value().Format(), "sensor7._device.acme.example.");
  for (std::uint32_t width = 1; width <= 3; ++width)
    EXPECT_EQ(OwnerName(MakeLayout(LayoutKind::kTree, width).value(), kApex, kSensor).value().Format(),
              "sensor7." + hash.substr(0, width) + "._device.acme.example.");
}

TEST(LayoutTest, RefusesWidthsThatALayoutDoesNotHave) {
  EXPECT_EQ(MakeLayout(LayoutKind::kFlat, 1).error().reason, Reason::kValueOutOfRange);
  EXPECT_EQ(MakeLayout(LayoutKind::kTree, 4).error().reason, Reason::kValueOutOfRange);
  EXPECT_EQ(MakeLayout(static_cast<LayoutKind>(9), 0).error().reason, Reason::kEnumUnknown);
}

TEST(LayoutTest, RefusesAnIdWhoseNameWouldBeTooLong) {
  const std::string label(63, 'x');
  const Name apex = Name::Parse("_device." + label + "." + label + "." + std::string(60, 'y')).value();
  EXPECT_EQ(OwnerName(Layout{}, apex, DeviceId::Parse(label).value()).error().reason, Reason::kIdNotCarriedByLayout);
}

TEST(LayoutTest, OnlyADeviceLabelMayBeginANamespace) {
  EXPECT_TRUE(CheckDeviceApex(kApex).has_value());
  for (const char* text :
       {"acme.example", "_user.acme.example", "_device", "x._device.acme.example", "www.acme.example", "_device.ac\\032me.example"})
    EXPECT_EQ(CheckDeviceApex(Name::Parse(text).value()).error().reason, Reason::kZoneApexForbidden) << text;
}

TEST(LayoutTest, LeavesRoomForNsec3Labels) {
  const std::string label(63, 'x');
  const std::string base = "_device." + label + "." + label + ".";
  EXPECT_TRUE(CheckDeviceApex(Name::Parse(base + std::string(63, 'y') + "." + std::string(20, 'z')).value()).has_value());
  EXPECT_FALSE(CheckDeviceApex(Name::Parse(base + std::string(63, 'y') + "." + std::string(21, 'z')).value()).has_value());
}

TEST(LayoutTest, WidthGrowsWithTheExpectedNumber) {
  EXPECT_EQ(WidthForExpected(1), 0);
  EXPECT_EQ(WidthForExpected(100'000), 1);
  EXPECT_EQ(WidthForExpected(10'000'000), 2);
  EXPECT_EQ(WidthForExpected(10'000'001), 3);
}

}  // namespace
}  // namespace idzone::zone
