// SPDX-License-Identifier: MIT
#include "services/replica/environment.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include <gtest/gtest.h>

#include "services/replica/reader.h"
#include "tests/unit/replica/small_zone.h"

namespace idzone::replica {
namespace {

TEST(EnvironmentTest, WithoutAReplicaThereIsNothingToRead) {
  const ScratchDirectory directory;

  const auto nothing = Environment::OpenForReading(directory.path());
  const auto nowhere = Environment::OpenForReading(directory.path() + "/absent");

  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().reason, Reason::kNotFound);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().reason, Reason::kNotFound);
}

TEST(EnvironmentTest, ASecondOpenInOneProcessFailsUntilTheFirstIsClosed) {
  const ScratchDirectory directory;
  auto writer = OpenWriter(directory);

  const auto second = Environment::OpenForReading(directory.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().reason, Reason::kAlreadyExists);

  writer.reset();
  EXPECT_TRUE(Environment::OpenForReading(directory.path()));
}

TEST(EnvironmentTest, AReplacedFileIsNoticedAndAMissingOneGoesOnServing) {
  const ScratchDirectory directory;
  OpenWriter(directory).reset();
  const auto reader = Environment::OpenForReading(directory.path()).value();
  EXPECT_FALSE(reader->WasReplaced());

  std::filesystem::rename(directory.path() + "/data.mdb", directory.path() + "/old.mdb");
  EXPECT_FALSE(reader->WasReplaced());

  std::filesystem::copy_file(directory.path() + "/old.mdb", directory.path() + "/data.mdb");
  EXPECT_TRUE(reader->WasReplaced());
}

/// Makes the file say that it is of that version.
void SetVersion(const std::string& directory, std::uint32_t version) {
  const auto writer = ReplicaWriter::Open(directory, kMapOctets).value();
  auto transaction = WriteTransaction::Begin(writer->environment()).value();
  ASSERT_TRUE(transaction.Put(Tree::kMeta, "format", EncodeNumber(version)));
  ASSERT_TRUE(transaction.Commit());
}

TEST(EnvironmentTest, ThePreviousVersionIsReadAndRaisedByTheWriter) {
  const ScratchDirectory directory;
  SetVersion(directory.path(), kFormatVersion - 1);

  EXPECT_TRUE(Environment::OpenForReading(directory.path()));
  const auto writer = OpenWriter(directory);
  ReadTransaction transaction(writer->environment());
  ASSERT_TRUE(transaction.Renew());
  EXPECT_EQ(transaction.Get(Tree::kMeta, "format").value(), EncodeNumber(kFormatVersion));
}

TEST(EnvironmentTest, AnUnknownVersionIsRefusedByReaderAndWriter) {
  for (const std::uint32_t version : {kFormatVersion + 1, kFormatVersion - 2}) {
    const ScratchDirectory directory;
    SetVersion(directory.path(), version);

    const auto read = Environment::OpenForReading(directory.path());
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().reason, Reason::kSchemaMismatch);
    const auto written = ReplicaWriter::Open(directory.path(), kMapOctets);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().reason, Reason::kSchemaMismatch);
  }
}

TEST(EnvironmentTest, AnAbortedTransactionChangesNothing) {
  const ScratchDirectory directory;
  const auto writer = OpenWriter(directory);
  {
    auto transaction = WriteTransaction::Begin(writer->environment()).value();
    ASSERT_TRUE(transaction.Put(Tree::kPin, "key", "value"));
  }
  EXPECT_EQ(CountOf(writer->environment(), Tree::kPin), 0u);
}

TEST(EnvironmentTest, AReaderThatDiedIsClearedAway) {
  const ScratchDirectory directory;
  {
    const auto writer = OpenWriter(directory);
    Fill(*writer, 7, {"d1"});
  }
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    Snapshot snapshot(Environment::OpenForReading(directory.path()).value());
    const char ready = snapshot.Renew() ? 'y' : 'n';
    static_cast<void>(!write(pipe_ends[1], &ready, 1));
    pause();
    _exit(0);
  }
  char ready = 0;
  ASSERT_EQ(read(pipe_ends[0], &ready, 1), 1);
  ASSERT_EQ(ready, 'y');
  const auto writer = OpenWriter(directory);
  EXPECT_EQ(writer->environment()->ClearStaleReaders().value(), 0) << "a living reader keeps its slot";

  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);

  EXPECT_EQ(writer->environment()->ClearStaleReaders().value(), 1);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

}  // namespace
}  // namespace idzone::replica
