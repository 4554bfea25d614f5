// SPDX-License-Identifier: MIT
#include "services/provisioning/enrollment_stream.h"

#include "services/provisioning/convert.h"
#include "services/provisioning/enrollment_order.h"
#include "services/rpc/error_mapping.h"
#include "services/rpc/message_check.h"

namespace idzone::provisioning {
namespace {

/// Four full batches: enough to keep two workers busy, little enough that one stream cannot fill the queue.
constexpr std::size_t kAheadMax = 1024;
constexpr std::chrono::seconds kCallerCheckedEvery(1);

}  // namespace

void EnrollmentStreams::Add(const std::shared_ptr<EnrollmentStream>& stream) {
  bool draining = false;
  {
    const std::scoped_lock lock(mutex_);
    streams_[stream.get()] = stream;
    draining = draining_;
  }
  if (draining) stream->Drain();
}

void EnrollmentStreams::Remove(const EnrollmentStream* stream) {
  const std::scoped_lock lock(mutex_);
  streams_.erase(stream);
}

void EnrollmentStreams::Drain() {
  std::vector<std::shared_ptr<EnrollmentStream>> open;
  {
    const std::scoped_lock lock(mutex_);
    draining_ = true;
    for (const auto& [key, stream] : streams_) {
      if (auto alive = stream.lock()) open.push_back(std::move(alive));
    }
  }
  for (const auto& stream : open) stream->Drain();
}

EnrollmentStream* EnrollmentStream::Begin(const Parts& parts, grpc::CallbackServerContext* context, rpc::Call call) {
  std::shared_ptr<EnrollmentStream> stream(new EnrollmentStream(parts, context, std::move(call)));
  stream->self_ = stream;
  parts.streams.Add(stream);
  stream->Advance();
  return stream.get();
}

EnrollmentStream::EnrollmentStream(const Parts& parts, grpc::CallbackServerContext* context, rpc::Call call)
    : parts_(parts), context_(context), call_(std::move(call)), caller_checked_at_(std::chrono::steady_clock::now()) {}

void EnrollmentStream::OnReadDone(bool ok) {
  const auto self = shared_from_this();
  const Result<void> caller = ok ? CheckCaller() : Result<void>();
  if (!ok || !caller) {
    const std::scoped_lock lock(mutex_);
    reading_ = false;
    read_all_ = true;
    if (!caller) end_ = caller;
  } else {
    Accept(Prepare());
  }
  Advance();
}

void EnrollmentStream::OnWriteDone(bool ok) {
  const auto self = shared_from_this();
  {
    const std::scoped_lock lock(mutex_);
    writing_ = false;
    if (!ok) cancelled_ = true;
  }
  Advance();
}

void EnrollmentStream::OnCancel() {
  const auto self = shared_from_this();
  {
    const std::scoped_lock lock(mutex_);
    cancelled_ = true;
  }
  Advance();
}

void EnrollmentStream::OnDone() {
  parts_.streams.Remove(this);
  self_.reset();
}

void EnrollmentStream::Drain() {
  {
    const std::scoped_lock lock(mutex_);
    if (!read_all_) end_ = Fail(Reason::kUnavailable, "server", "a server that stays", "one that is ending: send the rest again");
    read_all_ = true;
  }
  Advance();
}

Result<void> EnrollmentStream::CheckCaller() {
  const auto now = std::chrono::steady_clock::now();
  if (now - caller_checked_at_ < kCallerCheckedEvery) return {};
  caller_checked_at_ = now;
  auto checked = parts_.gate.CheckAgain(*context_, call_);
  // A database that is away proves nothing about the caller; the items themselves will say so.
  if (!checked && checked.error().reason == Reason::kUnavailable) return {};
  return checked;
}

Result<store::Enrollment> EnrollmentStream::Prepare() {
  if (auto known = rpc::CheckKnown(request_); !known) return tl::unexpected(known.error());
  const auto order = OrderFromProto(request_);
  if (!order) return tl::unexpected(order.error());
  return parts_.workflow.Prepare(call_.caller(), *order);
}

void EnrollmentStream::Accept(Result<store::Enrollment> item) {
  std::uint64_t index = 0;
  {
    const std::scoped_lock lock(mutex_);
    index = first_index_ + slots_.size();
    slots_.emplace_back();
    if (item)
      slots_.back().home = item->home;
    else
      slots_.back().outcome = tl::unexpected(item.error());
    stalled_ = item.has_value();
    reading_ = false;
  }
  if (item) Enqueue(std::move(*item), index);
}

void EnrollmentStream::Enqueue(store::Enrollment item, std::uint64_t index) {
  const auto self = shared_from_this();
  EnrollmentCommitter::Done done = [self, index](Result<store::Enrolled> outcome) { self->SetOutcome(index, std::move(outcome)); };
  if (parts_.workflow.committer().Submit(item, done)) {
    const std::scoped_lock lock(mutex_);
    stalled_ = false;
    return;
  }
  parts_.workflow.committer().WhenRoom([self, index, waiting = std::make_shared<store::Enrollment>(std::move(item))] {
    self->Enqueue(std::move(*waiting), index);
    self->Advance();
  });
}

void EnrollmentStream::SetOutcome(std::uint64_t index, Result<store::Enrolled> outcome) {
  {
    const std::scoped_lock lock(mutex_);
    // Answers leave in order, so an item that has none yet is still in its slot.
    IDZONE_INVARIANT(index >= first_index_ && index - first_index_ < slots_.size(), "an item under way has a slot");
    slots_[index - first_index_].outcome = std::move(outcome);
  }
  Advance();
}

EnrollmentStream::Step EnrollmentStream::Decide() {
  Step step;
  const std::scoped_lock lock(mutex_);
  if (finished_) return step;
  if (!reading_ && !read_all_ && !cancelled_ && !stalled_ && slots_.size() < kAheadMax) {
    reading_ = true;
    ++starting_;
    step.read = true;
  }
  if (!writing_ && !cancelled_ && !slots_.empty() && slots_.front().outcome) {
    writing_ = true;
    step.answer = std::move(slots_.front());
    step.index = first_index_++;
    slots_.pop_front();
    step.more_to_write = !slots_.empty() && slots_.front().outcome.has_value();
  }
  const bool answered = read_all_ && slots_.empty() && !stalled_;
  if (!writing_ && starting_ == 0 && (answered || cancelled_)) {
    finished_ = true;
    step.finish = true;
    if (cancelled_) end_ = Fail(Reason::kCancelled, "call", "", "a client that went away");
  }
  return step;
}

void EnrollmentStream::Advance() {
  const auto self = shared_from_this();
  while (true) {
    const Step step = Decide();
    if (step.answer) Write(step);
    if (step.finish) Finish(parts_.gate.Finish(call_, end_, "items=" + std::to_string(first_index_)));
    if (!step.read) return;
    StartRead(&request_);
    // Finish had to wait for this start: look again.
    const std::scoped_lock lock(mutex_);
    --starting_;
  }
}

void EnrollmentStream::Write(const Step& step) {
  response_.Clear();
  response_.set_index(step.index);
  const Result<store::Enrolled>& outcome = *step.answer->outcome;
  if (outcome) {
    ToProto(*step.answer->home, outcome->identity, response_.mutable_enrolled()->mutable_identity());
    response_.mutable_enrolled()->set_already_enrolled(outcome->already);
  } else {
    rpc::ToItemError(outcome.error(), response_.mutable_error());
  }
  // The hint lets gRPC put several answers into one packet; the last of a run is always sent at once.
  grpc::WriteOptions options;
  if (step.more_to_write) options.set_buffer_hint();
  StartWrite(&response_, options);
}

}  // namespace idzone::provisioning
