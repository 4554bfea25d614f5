// SPDX-License-Identifier: MIT
#include "services/replica/recovery.h"

#include <gtest/gtest.h>

#include <fstream>

#include "services/replica/damage_note.h"
#include "services/replica/follower_home.h"
#include "services/replica/watch.h"
#include "tests/unit/replica/small_zone.h"

namespace idzone::replica {
namespace {

/// The daemon itself inspects: the test runs the program that was built.
const std::string kProgram = IDZONE_REPLICAD;

void Truncate(const std::string& directory, std::uintmax_t octets) {
  std::filesystem::resize_file(directory + "/data.mdb", octets);
}

Result<Findings> Inspected(const std::string& directory) {
  return InspectInChild(kProgram, directory, {});
}

TEST(RecoveryTest, AChildFindsAWholeReplicaWhole) {
  const ScratchDirectory directory;
  auto writer = OpenWriter(directory);
  Fill(*writer, 7, {"one", "two"});

  // Beside the writer, whose locks stay its own.
  const auto findings = Inspected(directory.path());

  ASSERT_TRUE(findings) << findings.error().Detail();
  EXPECT_FALSE(findings->damage);
  EXPECT_EQ(findings->nodes, 3u);
  ASSERT_EQ(findings->remembered.size(), 1u);
  EXPECT_EQ(findings->remembered[0].position, At(7));
}

TEST(RecoveryTest, NothingThereIsNotFound) {
  const ScratchDirectory directory;

  EXPECT_EQ(Inspected(directory.path()).error().reason, Reason::kNotFound);
  EXPECT_EQ(Inspected(directory.path() + "/absent").error().reason, Reason::kNotFound);
}

TEST(RecoveryTest, ATruncatedFileIsDamageWhateverTheChildDiesOf) {
  for (const std::uintmax_t octets : {0, 100, 4096, 8192, 20000}) {
    const ScratchDirectory directory;
    {
      auto writer = OpenWriter(directory);
      Fill(*writer, 7, {"one", "two"});
    }
    Truncate(directory.path(), octets);

    const auto findings = Inspected(directory.path());

    ASSERT_TRUE(findings) << octets << " " << findings.error().Detail();
    EXPECT_TRUE(findings->damage) << octets;
  }
}

TEST(RecoveryTest, AnotherFormatVersionIsNoDamage) {
  const ScratchDirectory directory;
  {
    auto writer = OpenWriter(directory);
    auto transaction = WriteTransaction::Begin(writer->environment()).value();
    ASSERT_TRUE(transaction.Put(Tree::kMeta, "format", EncodeNumber(kFormatVersion + 1)));
    ASSERT_TRUE(transaction.Commit());
  }

  EXPECT_EQ(Inspected(directory.path()).error().reason, Reason::kSchemaMismatch);
}

TEST(RecoveryTest, ADamagedReplicaIsMadeAnewBesideAndKeepsPinsAndPositions) {
  const ScratchDirectory directory;
  {
    auto writer = OpenWriter(directory);
    Fill(*writer, 7, {"one", "two"});
    ASSERT_TRUE(writer->SetPins(ZoneName(), {"pin"}));
    auto transaction = WriteTransaction::Begin(writer->environment()).value();
    ASSERT_TRUE(transaction.Put(Tree::kGeneration, EncodeNumber(77), "\x09"));
    ASSERT_TRUE(transaction.Commit());
  }
  auto home = ReplicaHome::Open({.directory = directory.path(), .map_octets = kMapOctets, .inspector = kProgram}, {}).value();

  ASSERT_EQ(home->remembered().size(), 1u);
  EXPECT_EQ(home->remembered()[0].position, At(7));
  const ZoneState kept = home->writer().FindZone(ZoneName()).value().value();
  EXPECT_TRUE(kept.position.digest.empty());
  EXPECT_EQ(kept.pins, std::vector<Octets>{"pin"});
  // Until the new one is filled, the old one lies where it lay.
  const auto old = Environment::OpenForReading(directory.path()).value();
  Fill(home->writer(), 8, {"three"});
  EXPECT_FALSE(old->WasReplaced());

  ASSERT_TRUE(home->MoveIn());

  EXPECT_TRUE(old->WasReplaced());
  EXPECT_TRUE(home->writer().environment()->IsAt(directory.path()));
  EXPECT_FALSE(std::filesystem::exists(directory.path() + "/rebuild"));
  Fill(home->writer(), 9, {"three"});
  EXPECT_EQ(Inspected(directory.path()).value().remembered[0].position, At(9));
}

TEST(RecoveryTest, AWholeReplicaIsOpenedWhereItLies) {
  const ScratchDirectory directory;
  {
    auto writer = OpenWriter(directory);
    Fill(*writer, 7, {"one"});
  }

  auto home = ReplicaHome::Open({.directory = directory.path(), .map_octets = kMapOctets, .inspector = kProgram}, {}).value();

  EXPECT_TRUE(home->remembered().empty());
  EXPECT_EQ(home->writer().FindZone(ZoneName()).value()->position, At(7));
  EXPECT_TRUE(home->writer().environment()->IsAt(directory.path()));
}

TEST(FileWatchTest, SeesAFileThatIsGoneReplacedOrShorterAndNotes) {
  const ScratchDirectory directory;
  auto writer = OpenWriter(directory);
  Fill(*writer, 7, {"one", "two"});
  const std::string data = directory.path() + "/data.mdb";
  const auto watch = [&] { return FileWatch(writer->environment(), directory.path()); };
  FileWatch calm = watch();
  EXPECT_EQ(calm.Look(), Sight::kNothing);
  NoteDamage(directory.path());
  EXPECT_EQ(calm.Look(), Sight::kSuspicion);
  EXPECT_EQ(calm.Look(), Sight::kNothing);

  std::filesystem::rename(data, data + ".old");
  EXPECT_EQ(calm.Look(), Sight::kGone);
  std::ofstream(data) << "another";
  EXPECT_EQ(watch().Look(), Sight::kGone);
  std::filesystem::rename(data + ".old", data);
  FileWatch truncated = watch();
  EXPECT_EQ(truncated.Look(), Sight::kNothing);
  Truncate(directory.path(), std::filesystem::file_size(data) - 4096);
  EXPECT_EQ(truncated.Look(), Sight::kGone);
}

// A run of the campaign `faults` met it: the next commit came before the next look, and the holes lay there until somebody read them.
TEST(FileWatchTest, SeesAFileThatWasShorterAndIsLongAgain) {
  const ScratchDirectory directory;
  auto writer = OpenWriter(directory);
  Fill(*writer, 7, {"one", "two"});
  FileWatch watch(writer->environment(), directory.path());
  EXPECT_EQ(watch.Look(), Sight::kNothing);
  const std::string data = directory.path() + "/data.mdb";
  const auto octets = std::filesystem::file_size(data);
  std::filesystem::resize_file(data, octets + 1024 * 1024);  // so that the test itself reads no page that is gone
  Fill(*writer, 8, {"one", "two", "three"});
  EXPECT_EQ(watch.Look(), Sight::kNothing);

  std::filesystem::resize_file(data, octets + 512 * 1024);
  Fill(*writer, 9, {"one", "two"});
  std::filesystem::resize_file(data, octets + 1024 * 1024);

  EXPECT_EQ(watch.Look(), Sight::kGone);
}

TEST(ReplicaHomeTest, DamageUnderALiveReplicaIsFoundWhenSomebodyNotesIt) {
  const ScratchDirectory directory;
  auto home = ReplicaHome::Open({.directory = directory.path(), .map_octets = kMapOctets, .inspector = kProgram}, {}).value();
  Fill(home->writer(), 7, {"one"});
  ASSERT_TRUE(home->MoveIn());
  const auto wait_for = [&](const auto& condition) {
    for (int i = 0; i < 600 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return condition();
  };

  // A note alone is a suspicion, and this one is wrong.
  NoteDamage(directory.path());
  EXPECT_FALSE(home->lost().stop_requested());
  auto transaction = WriteTransaction::Begin(home->writer().environment()).value();
  ASSERT_TRUE(transaction.Put(Tree::kGeneration, EncodeNumber(77), "\x09"));
  ASSERT_TRUE(transaction.Commit());

  EXPECT_TRUE(wait_for([&] {
    NoteDamage(directory.path());
    return home->lost().stop_requested();
  }));
  ASSERT_TRUE(home->damage());
  EXPECT_NE(home->damage()->Detail().find("state"), std::string::npos) << home->damage()->Detail();
}

}  // namespace
}  // namespace idzone::replica
