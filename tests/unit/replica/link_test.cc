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

/// A feed that has more at first, then has told all; keeps whether what the follower holds is served, by its own word.
class PatientFeed final : public feed::v1::FeedService::Service {
 public:
  grpc::Status Follow(grpc::ServerContext* /*context*/,
                      grpc::ServerReaderWriter<feed::v1::FollowResponse, feed::v1::FollowRequest>* stream) override {
    feed::v1::FollowRequest request;
    feed::v1::FollowResponse heartbeat;
    stream->Read(&request);
    std::vector<bool> served{!request.not_served()};
    for (const bool behind : {true, false, false}) {
      heartbeat.mutable_heartbeat()->set_behind(behind);
      if (!stream->Write(heartbeat) || !stream->Read(&request)) return grpc::Status::OK;
      served.push_back(!request.not_served());
    }
    if (said.empty()) said = served;
    return grpc::Status::OK;
  }
  std::vector<bool> said;  // to be read when the link has stopped
};

/// A link to a feed, from construction to destruction, with an empty replica and a lag of a second allowed.
class RunningLink {
 public:
  explicit RunningLink(grpc::Service& feed) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&feed);
    server_ = builder.BuildAndStart();
    if (mkdtemp(directory_.data()) == nullptr) throw std::runtime_error("mkdtemp");
    writer_ = ReplicaWriter::Open(directory_, std::size_t{16} << 20).value();
    follower_.emplace(*writer_, FollowerOptions(), clock_, &metrics_);
    link_.emplace(grpc::CreateChannel("127.0.0.1:" + std::to_string(port_), grpc::InsecureChannelCredentials()), *follower_, metrics_,
                  LinkEvents{.current = [this] { ++current; },
                             .trouble = [this](const std::string& why) { trouble = why; },
                             .caught_up = [this]() -> Result<void> {
                               served_ = true;
                               return {};
                             },
                             .served = [this] { return served_; }},
                  LinkOptions{.lag_max = std::chrono::seconds(1)});
    running_ = std::jthread([this](const std::stop_token& stop) { EXPECT_TRUE(link_->Run(stop)); });
  }
  ~RunningLink() {
    Stop();
    server_->Shutdown(std::chrono::system_clock::now());
    std::filesystem::remove_all(directory_);
  }
  /// What it has told can be read then.
  void Stop() {
    running_.request_stop();
    if (running_.joinable()) running_.join();
  }

  int current = 0;  // the link calls one event at a time
  std::string trouble;

 private:
  bool served_ = false;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::string directory_ = (std::filesystem::temp_directory_path() / "link-XXXXXX").string();
  std::unique_ptr<ReplicaWriter> writer_;
  const process::SystemClock clock_;
  prometheus::Registry registry_;
  FollowerMetrics metrics_{registry_};
  std::optional<Follower> follower_;
  std::optional<FeedLink> link_;
  std::jthread running_;
};

/// How a link has fared after some seconds.
struct Fared {
  int current = 0;
  std::string trouble;
};
Fared FareWith(grpc::Service& feed) {
  RunningLink link(feed);
  std::this_thread::sleep_for(std::chrono::seconds(5));
  link.Stop();
  return {link.current, link.trouble};
}

TEST(FeedLinkTest, TellsWhetherWhatItHoldsIsServed) {
  PatientFeed feed;

  FareWith(feed);

  EXPECT_EQ(feed.said, (std::vector{false, false, true, true})) << "from the answer on with which the replica takes its place";
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
  const RunningLink link(feed);

  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (feed.streams < 8 && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(20));

  EXPECT_GE(feed.streams, 8);
}

}  // namespace
}  // namespace idzone::replica
