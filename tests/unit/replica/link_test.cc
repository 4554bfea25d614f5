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

/// A feed whose follower is current at first; from then on it is beaten with heartbeats.
class LivelyFeed final : public feed::v1::FeedService::Service {
 public:
  enum class Then { kNothing, kBehind, kBadVersion };
  explicit LivelyFeed(Then then) : then_(then) {}

  grpc::Status Follow(grpc::ServerContext* /*context*/,
                      grpc::ServerReaderWriter<feed::v1::FollowResponse, feed::v1::FollowRequest>* stream) override {
    feed::v1::FollowRequest request;
    stream->Read(&request);
    feed::v1::FollowResponse heartbeat, version;
    heartbeat.mutable_heartbeat();
    version.mutable_version()->mutable_position()->set_zone(dns::Name::Parse("_device.acme.example.").value().wire());
    if (!stream->Write(heartbeat) || !stream->Read(&request)) return grpc::Status::OK;
    if (then_ == Then::kBadVersion && (!stream->Write(version) || !stream->Read(&request))) return grpc::Status::OK;
    heartbeat.mutable_heartbeat()->set_behind(then_ == Then::kBehind);
    while (stream->Write(heartbeat) && stream->Read(&request)) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return grpc::Status::OK;
  }

 private:
  const Then then_;
};

/// How a link that may lag for a second fares with a feed for some seconds.
struct Fared {
  int current = 0;
  std::string trouble;
};

Fared FareWith(grpc::Service& feed) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&feed);
  const auto server = builder.BuildAndStart();
  std::string directory = (std::filesystem::temp_directory_path() / "link-XXXXXX").string();
  EXPECT_NE(mkdtemp(directory.data()), nullptr);
  auto writer = ReplicaWriter::Open(directory, std::size_t{16} << 20);
  const process::SystemClock clock;
  prometheus::Registry registry;
  FollowerMetrics metrics(registry);
  Follower follower(**writer, {}, clock, &metrics);
  Fared fared;  // the link calls one event at a time
  FeedLink link(grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()), follower, metrics,
                {.current = [&] { ++fared.current; }, .trouble = [&](const std::string& why) { fared.trouble = why; }},
                {.lag_max = std::chrono::seconds(1)});
  {
    std::jthread running([&](const std::stop_token& stop) { EXPECT_TRUE(link.Run(stop)); });
    std::this_thread::sleep_for(std::chrono::seconds(5));
  }
  server->Shutdown(std::chrono::system_clock::now());
  std::filesystem::remove_all(directory);
  return fared;
}

TEST(FeedLinkTest, IsCurrentAsLongAsTheFeedSaysSo) {
  LivelyFeed feed(LivelyFeed::Then::kNothing);

  const Fared fared = FareWith(feed);

  EXPECT_EQ(fared.current, 1);
  EXPECT_EQ(fared.trouble, "");
}

TEST(FeedLinkTest, LagsWhenALivelyFeedSaysThatItIsBehind) {
  LivelyFeed feed(LivelyFeed::Then::kBehind);

  const Fared fared = FareWith(feed);

  EXPECT_EQ(fared.current, 1);
  EXPECT_NE(fared.trouble.find("lag_max_seconds"), std::string::npos) << fared.trouble;
}

TEST(FeedLinkTest, LagsWhenAZoneIsRefusedThoughTheFeedIsLively) {
  LivelyFeed feed(LivelyFeed::Then::kBadVersion);

  const Fared fared = FareWith(feed);

  EXPECT_EQ(fared.current, 1);
  EXPECT_NE(fared.trouble.find("lag_max_seconds"), std::string::npos) << fared.trouble;
}

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
