// SPDX-License-Identifier: MIT
#include "cli/import/import_stream.h"

#include <thread>

#include "services/rpc/error_mapping.h"

namespace idzone::cli {
namespace {

/// Items that go out together: each write of its own would cost a system call and a wake-up at both ends.
constexpr std::size_t kHeldBackMax = 31;

v1::EnrollRequest RequestFor(const ImportOptions& options, const ImportItem& item) {
  v1::EnrollRequest request;
  request.set_namespace_name(options.namespace_name);
  request.set_id(item.id);
  request.set_label_privacy(options.label_privacy);
  SetMaterial(request, item.material);
  return request;
}

/// Answers that say nothing about the item: the server could not come to it.
bool IsTransient(int code) {
  return code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::ABORTED || code == grpc::StatusCode::DEADLINE_EXCEEDED ||
         code == grpc::StatusCode::CANCELLED || code == grpc::StatusCode::RESOURCE_EXHAUSTED;
}

/// Refusals of the stream itself, which another attempt cannot mend.
bool IsFinal(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::UNIMPLEMENTED: return true;
    default: return false;
  }
}

ImportResult ResultOf(const ImportItem& item, const v1::EnrollResponse& response) {
  const v1::Identity& identity = response.identity();
  ImportResult result{.line = item.line,
                      .id = identity.id(),
                      .owner_name = identity.owner_name(),
                      .fingerprint = identity.fingerprint(),
                      .already = response.already_enrolled(),
                      .change = identity.change(),
                      .version = std::nullopt};
  if (identity.has_version()) result.version = {.epoch = identity.version().epoch(), .serial = identity.version().serial()};
  return result;
}

}  // namespace

ImportStream::End ImportStream::Run(ImportSource& source, std::deque<ImportItem>& again) {
  stream_ = session_.stub_.EnrollStream(&context_);
  std::thread reader([this] { ReadAnswers(); });
  std::thread watcher([this] { Watch(); });
  Send(source, again);
  stream_->WritesDone();
  reader.join();
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
  watcher.join();
  status_ = stream_->Finish();
  if (garbled_) status_ = {grpc::StatusCode::INTERNAL, "the server answered items that were not asked"};

  const bool finished = status_.ok() && unanswered_.empty() && unavailable_.empty() && again.empty();
  // What was sent first goes first again.
  unavailable_.insert(unavailable_.end(), std::make_move_iterator(unanswered_.begin()), std::make_move_iterator(unanswered_.end()));
  again.insert(again.begin(), std::make_move_iterator(unavailable_.begin()), std::make_move_iterator(unavailable_.end()));
  if (finished) return End::kFinished;
  return garbled_ || IsFinal(status_.error_code()) ? End::kRefused : End::kAgain;
}

void ImportStream::Send(ImportSource& source, std::deque<ImportItem>& again) {
  std::size_t held_back = 0;
  while (AwaitRoom()) {
    std::optional<ImportItem> item;
    if (!again.empty()) {
      item = std::move(again.front());
      again.pop_front();
    } else {
      item = session_.NextItem(source, stop_);
    }
    if (!item) return;
    const v1::EnrollRequest request = RequestFor(session_.options_, *item);
    bool more_at_once = false;
    {
      // Before it is written: its answer may come before Write returns.
      const std::lock_guard lock(mutex_);
      if (unanswered_.empty()) heard_ = Clock::now();
      unanswered_.push_back(*std::move(item));
      // What is held back goes out with the next item that is not, or with WritesDone: never hold back before a wait.
      more_at_once = session_.options_.source_never_waits && unanswered_.size() < session_.options_.window && held_back < kHeldBackMax;
    }
    held_back = more_at_once ? held_back + 1 : 0;
    grpc::WriteOptions options;
    if (more_at_once) options.set_buffer_hint();
    if (!stream_->Write(request, options)) return;
  }
}

bool ImportStream::AwaitRoom() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return broken_ || unanswered_.size() < session_.options_.window; });
  // When the server asks to try later, more items would only hear the same.
  return !broken_ && unavailable_.empty() && !stop_.stop_requested();
}

void ImportStream::ReadAnswers() {
  v1::EnrollStreamResponse answer;
  while (stream_->Read(&answer)) {
    std::unique_lock lock(mutex_);
    if (unanswered_.empty() || answer.index() != next_index_) {
      garbled_ = true;
      context_.TryCancel();
      break;
    }
    ++next_index_;
    const ImportItem item = std::move(unanswered_.front());
    unanswered_.pop_front();
    handling_ = true;
    lock.unlock();
    TakeAnswer(item, answer);
    lock.lock();
    handling_ = false;
    heard_ = Clock::now();
    changed_.notify_all();
  }
  const std::lock_guard lock(mutex_);
  broken_ = true;
  changed_.notify_all();
}

void ImportStream::TakeAnswer(const ImportItem& item, const v1::EnrollStreamResponse& answer) {
  if (answer.has_enrolled()) {
    ++answered_;
    session_.Report(ResultOf(item, answer.enrolled()));
    return;
  }
  if (!answer.has_error() || IsTransient(answer.error().code())) {
    const std::lock_guard lock(mutex_);
    unavailable_.push_back(item);
    return;
  }
  ++answered_;
  session_.Report(
      ImportFault{.line = item.line, .id = item.id, .error = rpc::ErrorFromItem(answer.error()), .original = item.original, .text = {}});
}

void ImportStream::Watch() {
  std::unique_lock lock(mutex_);
  std::optional<Clock::time_point> stopped;
  while (!closed_) {
    changed_.wait_for(lock, std::chrono::milliseconds(100));
    if (closed_) return;
    const Clock::time_point now = Clock::now();
    if (stop_.stop_requested() && !stopped) stopped = now;
    const bool silent = !handling_ && !unanswered_.empty() && now - heard_ > session_.options_.answer_timeout;
    if (silent || (stopped && now - *stopped > session_.options_.stop_grace)) context_.TryCancel();
  }
}

}  // namespace idzone::cli
