// SPDX-License-Identifier: MIT
#include "services/transfer/catalog_file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace idzone::transfer {
namespace {

const UnixTime kNow{std::chrono::seconds(1'764'040'000)};

dns::Name N(const std::string& text) {
  return dns::Name::Parse(text).value();
}

class CatalogFileTest : public testing::Test {
 protected:
  CatalogFileTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "idzone-catalog-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~CatalogFileTest() override { std::filesystem::remove_all(folder_); }

  CatalogFile Open(UnixTime now = kNow) { return CatalogFile::Open(folder_ / "catalog", N("catalog.example."), now).value(); }
  std::string Text() const {
    std::ifstream stream(folder_ / "catalog");
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  std::filesystem::path folder_;
};

TEST_F(CatalogFileTest, ANewOneIsThereAtOnceAndReadableByAll) {
  Open();
  EXPECT_EQ(Text(), "catalog catalog.example.\nserial 1764040000\n");
  EXPECT_EQ(std::filesystem::status(folder_ / "catalog").permissions(), std::filesystem::perms(0644));
}

TEST_F(CatalogFileTest, ZonesAreAddedWithARisingSerial) {
  auto file = Open();
  EXPECT_TRUE(file.Add({N("b.example.")}, kNow).value());
  EXPECT_FALSE(file.Add({N("b.example.")}, kNow).value());
  EXPECT_FALSE(file.Add({}, kNow).value()) << "a replica that is being filled has no zones yet";
  EXPECT_TRUE(file.Add({N("a.example.")}, kNow).value());
  EXPECT_EQ(Text(), "catalog catalog.example.\nserial 1764040002\nzone a.example.\nzone b.example.\n");
}

TEST_F(CatalogFileTest, OpenedAgainItKeepsItsZonesAndRaisesItsSerial) {
  Open().Add({N("a.example.")}, kNow).value();
  const auto again = Open();
  EXPECT_EQ(again.catalog().zones, (std::vector<dns::Name>{N("a.example.")}));
  EXPECT_EQ(again.catalog().serial, 1'764'040'002u);
}

TEST_F(CatalogFileTest, AZoneThatAnOperatorTookOutStaysOut) {
  Open().Add({N("a.example."), N("b.example.")}, kNow).value();
  std::ofstream(folder_ / "catalog") << "catalog catalog.example.\nserial 1764040001\nzone b.example.\n";
  auto again = Open();
  EXPECT_FALSE(again.Add({N("b.example.")}, kNow).value());
  EXPECT_EQ(Text(), "catalog catalog.example.\nserial 1764040002\nzone b.example.\n");
}

TEST_F(CatalogFileTest, AFileThatCannotBeReadEndsTheStart) {
  std::ofstream(folder_ / "catalog") << "catalog catalog.example.\nserial x\n";
  EXPECT_FALSE(CatalogFile::Open(folder_ / "catalog", N("catalog.example."), kNow));
  EXPECT_FALSE(CatalogFile::Open(folder_ / "no" / "catalog", N("catalog.example."), kNow));
}

}  // namespace
}  // namespace idzone::transfer
