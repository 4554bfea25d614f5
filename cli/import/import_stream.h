// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>

#include "cli/import/import_session.h"

namespace idzone::cli {

/// One attempt: one EnrollStream from its opening to its end. The caller's thread writes, a second one reads answers, a
/// third one ends a stream that has gone silent.
class ImportStream {
 public:
  ImportStream(ImportSession& session, const std::stop_token& stop) : session_(session), stop_(stop) {}

  enum class End {
    kFinished,  // everything is answered
    kAgain,     // the stream broke, or the server could not take items: what is in `again` waits
    kRefused,   // the server refused the stream itself: see status()
  };

  /// Sends first what is in `again`, then what `source` has. On return `again` has what must be sent again, in order.
  End Run(ImportSource& source, std::deque<ImportItem>& again);

  /// Whether any item got its final answer: then the failure is a new one.
  bool made_progress() const { return answered_ > 0; }
  const grpc::Status& status() const { return status_; }

 private:
  using Stream = grpc::ClientReaderWriterInterface<v1::EnrollRequest, v1::EnrollStreamResponse>;
  using Clock = std::chrono::steady_clock;

  void Send(ImportSource& source, std::deque<ImportItem>& again);
  /// Waits for room in the window. Returns false when sending must end.
  bool AwaitRoom();
  void ReadAnswers();
  void TakeAnswer(const ImportItem& item, const v1::EnrollStreamResponse& answer);
  void Watch();

  ImportSession& session_;
  const std::stop_token& stop_;
  grpc::ClientContext context_;
  std::unique_ptr<Stream> stream_;
  grpc::Status status_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ImportItem> unanswered_;   // in the order sent
  std::deque<ImportItem> unavailable_;  // answered with "try later"
  std::uint64_t next_index_ = 0;
  std::uint64_t answered_ = 0;
  Clock::time_point heard_ = Clock::now();
  bool handling_ = false;  // an answer is being reported, which may wait for the results
  bool broken_ = false;    // nothing more can be read
  bool garbled_ = false;   // the server broke the protocol
  bool closed_ = false;    // the attempt is over
};

}  // namespace idzone::cli
