// SPDX-License-Identifier: MIT
#include "services/replica/residency.h"

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/unit/replica/small_zone.h"

namespace idzone::replica {
namespace {

/// Lets the kernel drop the file's pages; those that are mapped into this process it keeps.
void DropFromMemory(const std::string& directory) {
  const int descriptor = open((directory + "/data.mdb").c_str(), O_RDONLY);
  ASSERT_GE(descriptor, 0);
  ASSERT_EQ(fsync(descriptor), 0);
  ASSERT_EQ(posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED), 0);
  close(descriptor);
}

class ResidencyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::vector<std::string> devices;
    for (int i = 0; i < 20'000; ++i) devices.push_back("d" + std::to_string(i));
    Fill(*OpenWriter(directory_), 7, devices);
  }

  ScratchDirectory directory_;
};

TEST_F(ResidencyTest, AFileThatTheKernelDroppedIsBroughtBackWhole) {
  DropFromMemory(directory_.path());
  const auto environment = Environment::OpenForReading(directory_.path()).value();
  const auto before = MeasureResidency(*environment).value();
  ASSERT_GT(before.used_octets, 2u << 20);
  if (before.resident_octets == before.used_octets) GTEST_SKIP() << "this file system keeps files in memory";

  EXPECT_GT(BringIntoMemory(*environment, false).value(), 0u);

  const auto after = MeasureResidency(*environment).value();
  EXPECT_EQ(after.resident_octets, after.used_octets);
  EXPECT_EQ(BringIntoMemory(*environment, false).value(), 0u) << "nothing is missing";
}

TEST_F(ResidencyTest, AtFirstTheWholeFileIsRead) {
  const auto environment = Environment::OpenForReading(directory_.path()).value();

  EXPECT_GE(BringIntoMemory(*environment, true).value(), MeasureResidency(*environment)->used_octets);
}

TEST_F(ResidencyTest, AFileThatWasMovedIsTheSameFile) {
  const auto environment = Environment::OpenForReading(directory_.path()).value();
  const auto before = MeasureResidency(*environment).value();

  std::filesystem::rename(directory_.path() + "/data.mdb", directory_.path() + "/moved.mdb");

  EXPECT_EQ(MeasureResidency(*environment)->used_octets, before.used_octets);
}

}  // namespace
}  // namespace idzone::replica
