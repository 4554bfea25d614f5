// SPDX-License-Identifier: MIT
#pragma once

#include <grpcpp/support/server_callback.h>

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "idzone/v1/enrollment_service.pb.h"
#include "services/provisioning/enrollment_workflow.h"
#include "services/rpc/call.h"

/// One EnrollStream call: requests come in, are checked and queued at once, and are answered in the order sent, each
/// when its batch is durable or when it was refused.
///
/// Flow: gRPC's threads read and check (X.509 is parsed there), a committer's worker reports outcomes, answers are built
/// and written one at a time. At most kAheadMax items of one stream are under way, and a stream does not read while the
/// committer's queue is full: what a client sends beyond that waits in its own connection.
///
/// Threads: everything below `mutex_` is shared between gRPC's threads and the committer's. gRPC's Start… and Finish are
/// called without the mutex, because they may run the next reaction inline; the flags make sure that no operation is
/// started after Finish and never two of a kind at once.
namespace idzone::provisioning {

class EnrollmentStream;

/// The streams that are open, for the drain: each then reads no more, answers what it has read, and ends UNAVAILABLE.
class EnrollmentStreams {
 public:
  void Add(const std::shared_ptr<EnrollmentStream>& stream);
  void Remove(const EnrollmentStream* stream);
  void Drain();

 private:
  std::mutex mutex_;
  bool draining_ = false;
  std::map<const EnrollmentStream*, std::weak_ptr<EnrollmentStream>> streams_;
};

class EnrollmentStream final : public grpc::ServerBidiReactor<v1::EnrollRequest, v1::EnrollStreamResponse>,
                               public std::enable_shared_from_this<EnrollmentStream> {
 public:
  struct Parts {
    rpc::CallGate& gate;
    EnrollmentWorkflow& workflow;
    EnrollmentStreams& streams;
  };

  /// Begins to serve an admitted call. gRPC owns the result until it is done.
  static EnrollmentStream* Begin(const Parts& parts, grpc::CallbackServerContext* context, rpc::Call call);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  /// Reads no more.
  void Drain();

 private:
  struct Slot {
    NamespaceDirectory::Home home;                   // null for a refused item
    std::optional<Result<store::Enrolled>> outcome;  // unset: under way
  };
  /// What to do next, decided under the mutex and done without it.
  struct Step {
    bool read = false;
    bool finish = false;
    std::optional<Slot> answer;
    std::uint64_t index = 0;
    bool more_to_write = false;
  };

  EnrollmentStream(const Parts& parts, grpc::CallbackServerContext* context, rpc::Call call);
  Result<void> CheckCaller();
  Result<store::Enrollment> Prepare();
  void Accept(Result<store::Enrollment> item);
  void Enqueue(store::Enrollment item, std::uint64_t index);
  void SetOutcome(std::uint64_t index, Result<store::Enrolled> outcome);
  void Advance();
  Step Decide();
  void Write(const Step& step);

  const Parts parts_;
  grpc::CallbackServerContext* const context_;
  const rpc::Call call_;
  v1::EnrollRequest request_;          // belongs to whoever may read
  v1::EnrollStreamResponse response_;  // belongs to whoever may write
  std::chrono::steady_clock::time_point caller_checked_at_;
  std::shared_ptr<EnrollmentStream> self_;  // until OnDone

  std::mutex mutex_;
  std::deque<Slot> slots_;
  std::uint64_t first_index_ = 0;  // of slots_.front()
  bool reading_ = false;
  bool writing_ = false;
  int starting_ = 0;        // reads being started outside the mutex
  bool stalled_ = false;    // an item waits for room in the committer's queue
  bool read_all_ = false;   // half-closed, or reading ended for `end_`'s reason
  bool cancelled_ = false;  // nobody listens any more
  bool finished_ = false;
  Result<void> end_;  // how the call ends once everything is answered
};

}  // namespace idzone::provisioning
