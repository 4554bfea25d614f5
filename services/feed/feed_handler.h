// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "idzone/feed/v1/feed_service.grpc.pb.h"
#include "services/feed/feed_session.h"
#include "services/rpc/call.h"

namespace idzone::feed {

/// FeedService: admits an edge, gives its stream a session and two threads, and ends what has gone silent. An edge has
/// one stream: a new one ends the one before, whose other end is dead more often than not.
class FeedHandler : public v1::FeedService::Service {
 public:
  FeedHandler(rpc::CallGate& gate, const FeedParts& parts, std::size_t streams_max);
  ~FeedHandler() override;

  grpc::Status Follow(grpc::ServerContext* context, grpc::ServerReaderWriter<v1::FollowResponse, v1::FollowRequest>* stream) override;

  /// Ends all streams and refuses new ones.
  void Drain();

 private:
  struct Entry {
    std::shared_ptr<FeedSession> session;
    grpc::ServerContext* context = nullptr;
  };

  Result<void> Enter(const std::string& edge_id, const Entry& entry);
  void Leave(const std::string& edge_id, const FeedSession* session);
  void EndSilent();

  rpc::CallGate& gate_;
  const FeedParts parts_;
  const std::size_t streams_max_;
  std::mutex mutex_;
  std::map<std::string, Entry> streams_;
  bool draining_ = false;
  std::jthread watch_;
};

/// Who may call the feed: edges.
const rpc::AccessTable& FeedAccess();

}  // namespace idzone::feed
