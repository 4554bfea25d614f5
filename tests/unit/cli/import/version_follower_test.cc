// SPDX-License-Identifier: MIT
#include "cli/import/version_follower.h"

#include <set>
#include <thread>

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

namespace idzone::cli {
namespace {

/// Publishes change c as serial c + 100, up to a limit that the test raises.
class FakeIdentities : public v1::IdentityService::Service {
 public:
  grpc::Status WaitForChange(grpc::ServerContext*, const v1::WaitForChangeRequest* request, v1::WaitForChangeResponse* response) override {
    ++calls;
    changes_max = std::max(changes_max.load(), request->changes_size());
    if (failures > 0) {
      --failures;
      return {grpc::StatusCode::UNAVAILABLE, "on purpose"};
    }
    for (const std::uint64_t change : request->changes()) {
      auto& answer = *response->add_changes();
      answer.set_change(change);
      if (change > published) continue;
      answer.mutable_version()->set_epoch(1);
      answer.mutable_version()->set_serial(static_cast<std::uint32_t>(change) + 100);
    }
    return grpc::Status::OK;
  }

  std::atomic<std::uint64_t> published = 1'000'000;
  std::atomic<int> failures = 0;
  std::atomic<int> calls = 0;
  std::atomic<int> changes_max = 0;
};

class Collector : public ImportResultSink {
 public:
  void Write(const ImportResult& result) override { results.push_back(result); }
  std::vector<ImportResult> results;
};

class VersionFollowerTest : public testing::Test {
 protected:
  VersionFollowerTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&fake_);
    server_ = builder.BuildAndStart();
    stub_ = v1::IdentityService::NewStub(server_->InProcessChannel({}));
  }

  VersionFollowerOptions Options(std::chrono::milliseconds patience) {
    return {.namespace_name = "z.", .waiting_max = 100, .patience = patience, .call_wait = std::chrono::milliseconds(10)};
  }

  static ImportResult Result(int number) {
    ImportResult result;
    result.line = static_cast<std::uint64_t>(number);
    result.id = std::to_string(number);
    result.change = static_cast<std::uint64_t>(number / 10);
    return result;
  }

  FakeIdentities fake_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::IdentityService::Stub> stub_;
  Collector sink_;
};

TEST_F(VersionFollowerTest, WritesEachResultOnceWithItsVersion) {
  VersionFollower follower(*stub_, sink_, Options(std::chrono::seconds(20)));
  for (int i = 0; i < 350; ++i) follower.Add(Result(i));

  follower.Finish(std::chrono::seconds(20));

  ASSERT_EQ(sink_.results.size(), 350u);
  std::set<std::uint64_t> lines;
  for (const ImportResult& result : sink_.results) {
    ASSERT_TRUE(result.version);
    EXPECT_EQ(result.version->serial, result.change + 100);
    lines.insert(result.line);
  }
  EXPECT_EQ(lines.size(), 350u);
  EXPECT_EQ(follower.unpublished(), 0u);
  EXPECT_GT(fake_.changes_max, 1);
}

TEST_F(VersionFollowerTest, AResultThatCameWithItsVersionNeedsNoCall) {
  VersionFollower follower(*stub_, sink_, Options(std::chrono::seconds(20)));
  ImportResult result = Result(1);
  result.version = PublishedVersion{.epoch = 2, .serial = 3};
  follower.Add(result);

  follower.Finish(std::chrono::seconds(20));

  ASSERT_EQ(sink_.results.size(), 1u);
  EXPECT_EQ(sink_.results[0].version->epoch, 2u);
  EXPECT_EQ(fake_.calls, 0);
}

TEST_F(VersionFollowerTest, OutlivesFailuresOfTheServer) {
  fake_.failures = 2;
  VersionFollower follower(*stub_, sink_, Options(std::chrono::seconds(20)));
  follower.Add(Result(1));

  follower.Finish(std::chrono::seconds(20));

  ASSERT_EQ(sink_.results.size(), 1u);
  EXPECT_TRUE(sink_.results[0].version);
}

TEST_F(VersionFollowerTest, WritesWithoutVersionWhenPatienceEnds) {
  fake_.published = 1;
  VersionFollower follower(*stub_, sink_, Options(std::chrono::seconds(20)));
  for (int i = 0; i < 40; ++i) follower.Add(Result(i));

  follower.Finish(std::chrono::milliseconds(300));

  EXPECT_EQ(sink_.results.size(), 40u);
  EXPECT_EQ(follower.unpublished(), 20u);
}

TEST_F(VersionFollowerTest, ASignerThatStandsStillDoesNotStopTheImportForEver) {
  fake_.published = 0;
  VersionFollower follower(*stub_, sink_, Options(std::chrono::milliseconds(100)));

  for (int i = 10; i < 320; ++i) follower.Add(Result(i));

  follower.Finish(std::chrono::milliseconds(100));
  EXPECT_EQ(sink_.results.size(), 310u);
  EXPECT_EQ(follower.unpublished(), 310u);
}

}  // namespace
}  // namespace idzone::cli
