// SPDX-License-Identifier: MIT
#include "services/feed/feed_handler.h"

#include "services/process/lifecycle.h"
#include "services/process/log.h"

namespace idzone::feed {
namespace {

constexpr char kMethod[] = "/idzone.feed.v1.FeedService/Follow";
constexpr std::chrono::seconds kWatchEvery(1);

}  // namespace

const rpc::AccessTable& FeedAccess() {
  static const rpc::AccessTable table({{.method = kMethod, .roles = {rpc::Role::kEdge}}});
  return table;
}

FeedHandler::FeedHandler(rpc::CallGate& gate, const FeedParts& parts, std::size_t streams_max)
    : gate_(gate), parts_(parts), streams_max_(streams_max), watch_([this](const std::stop_token& stop) {
        while (process::SleepFor(stop, kWatchEvery)) EndSilent();
      }) {}

FeedHandler::~FeedHandler() = default;

Result<void> FeedHandler::Enter(const std::string& edge_id, const Entry& entry) {
  const std::scoped_lock lock(mutex_);
  if (draining_) return Fail(Reason::kUnavailable, "feed", "a server that goes on", "one that is being stopped");
  const auto found = streams_.find(edge_id);
  if (found != streams_.end()) {
    process::Log(process::LogLevel::kWarning, "feed.stream_replaced", {{"edge", edge_id}});
    found->second.session->End(Error{Reason::kAlreadyExists, "stream", "one stream an edge", "a newer one"});
    found->second.context->TryCancel();
    found->second = entry;
    return {};
  }
  if (streams_.size() >= streams_max_)
    return Fail(Reason::kLimitExceeded, "streams", "at most " + std::to_string(streams_max_) + " (feed.streams_max)", "one more");
  streams_.emplace(edge_id, entry);
  parts_.metrics.SetFollowers(streams_.size());
  return {};
}

void FeedHandler::Leave(const std::string& edge_id, const FeedSession* session) {
  const std::scoped_lock lock(mutex_);
  const auto found = streams_.find(edge_id);
  if (found != streams_.end() && found->second.session.get() == session) streams_.erase(found);
  parts_.metrics.SetFollowers(streams_.size());
}

void FeedHandler::EndSilent() {
  const std::scoped_lock lock(mutex_);
  for (const auto& [edge_id, entry] : streams_) {
    // A thread that hangs in a write to a dead peer is only freed by cancelling.
    if (entry.session->EndIfSilent(std::chrono::steady_clock::now())) entry.context->TryCancel();
  }
}

void FeedHandler::Drain() {
  const std::scoped_lock lock(mutex_);
  draining_ = true;
  for (const auto& [edge_id, entry] : streams_) {
    entry.session->End(Error{Reason::kUnavailable, "feed", "a server that goes on", "one that is being stopped"});
    entry.context->TryCancel();
  }
}

grpc::Status FeedHandler::Follow(grpc::ServerContext* context, grpc::ServerReaderWriter<v1::FollowResponse, v1::FollowRequest>* stream) {
  const Result<rpc::Call> call = gate_.Admit(*context, kMethod);
  if (!call) return rpc::ToStatus(call.error());
  const std::string& edge_id = call->caller().edge_id;
  const auto session =
      std::make_shared<FeedSession>(parts_, edge_id, [stream](const v1::FollowResponse& response) { return stream->Write(response); });
  if (auto entered = Enter(edge_id, {session, context}); !entered) return gate_.Finish(*call, entered);
  process::Log(process::LogLevel::kInfo, "feed.edge_connected", {{"edge", edge_id}, {"peer", context->peer()}});

  std::atomic<bool> reading = true;
  std::thread reader([&] {
    v1::FollowRequest request;
    while (!session->ended() && stream->Read(&request)) session->Receive(request);
    reading = false;
    session->End(std::nullopt);
  });
  Result<void> served;
  try {
    served = session->Serve([&] { return gate_.CheckAgain(*context, *call); });
  } catch (const std::exception& exception) {
    process::Log(process::LogLevel::kError, "feed.exception", {{"edge", edge_id}, {"what", exception.what()}});
    served = Fail(Reason::kInternal, "feed", "", "a failure (see the server's log)");
    session->End(std::nullopt);
  }
  // When the reason did not come from the follower, its reading thread still waits, and only this frees it; the follower
  // sees CANCELLED then, and is told why when it comes again.
  if (reading) context->TryCancel();
  reader.join();
  Leave(edge_id, session.get());
  process::Log(process::LogLevel::kInfo, "feed.edge_left", {{"edge", edge_id}});
  return gate_.Finish(*call, served);
}

}  // namespace idzone::feed
