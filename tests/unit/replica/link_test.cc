// SPDX-License-Identifier: MIT
#include "services/replica/link.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <prometheus/registry.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "idzone/feed/v1/feed_service.grpc.pb.h"
#include "services/process/lifecycle.h"
#include "services/replica/follower.h"
#include "services/replica/follower_metrics.h"

namespace idzone::replica {
namespace {

/// A feed that sends much, reads no answers, and ends each stream as one does that is being stopped.
class EndingFeed final : public feed::v1::FeedService::Service {
 public:
  grpc::Status Follow(grpc::ServerContext* /*context*/,
                      grpc::ServerReaderWriter<feed::v1::FollowResponse, feed::v1::FollowRequest>* stream) override {
    feed::v1::FollowRequest hello;
    if (!stream->Read(&hello)) return grpc::Status::OK;
    feed::v1::FollowResponse message;
    message.mutable_heartbeat();
    for (int i = 0; i < 200; ++i) stream->Write(message);
    ++streams;
    return {grpc::StatusCode::UNAVAILABLE, "draining"};
  }
  std::atomic<int> streams = 0;
};

// Finish of a stream waits until everything that came was read: a follower whose answer could not be sent any more hung for good.
TEST(FeedLinkTest, ComesAgainWhenTheFeedEndsBehindUnreadMessages) {
  EndingFeed feed;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&feed);
  const auto server = builder.BuildAndStart();
  std::string directory = (std::filesystem::temp_directory_path() / "link-XXXXXX").string();
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  auto writer = ReplicaWriter::Open(directory, std::size_t{16} << 20);
  const process::SystemClock clock;
  prometheus::Registry registry;
  FollowerMetrics metrics(registry);
  Follower follower(**writer, {}, clock, &metrics);
  FeedLink link(grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()), follower, metrics,
                {.current = [] {}, .trouble = [](const std::string&) {}});

  std::jthread running([&](const std::stop_token& stop) { EXPECT_TRUE(link.Run(stop)); });
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (feed.streams < 8 && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(20));

  EXPECT_GE(feed.streams, 8);
  running.request_stop();
  running.join();
  server->Shutdown(std::chrono::system_clock::now());
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace idzone::replica
