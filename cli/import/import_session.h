// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>

#include "cli/failure.h"
#include "cli/import/id_set.h"
#include "cli/import/result_line.h"
#include "cli/import/source.h"
#include "idzone/v1/enrollment_service.grpc.pb.h"

/// The import itself: items go out on an EnrollStream with a bounded window of unanswered ones; a broken stream is opened
/// again and what was unanswered is sent again, which is safe because enrollment is idempotent. Each item of the file
/// ends in exactly one place: as a result, as a failed record, or, when the import ends early, in neither.
///
///   source ──► window ──► stream ──► answers ─┬► results (with their version, once it is known)
///                ▲                            ├► failed records
///                └──────── again ◄────────────┘  unavailable, or unanswered when the stream broke
namespace idzone::cli {

struct ImportOptions {
  std::string namespace_name;
  /// For all items; unspecified leaves it to the namespace.
  v1::LabelPrivacy label_privacy = v1::LABEL_PRIVACY_UNSPECIFIED;
  /// Unanswered items under way. Two server batches of 256 keep the server busy; four hide the network.
  std::size_t window = 1024;
  /// The source is a regular file: there is never a wait for its next item, and so several may go out together.
  bool source_never_waits = false;
  /// Attempts in a row without a single answer before the import ends.
  int attempts_max = 10;
  std::chrono::milliseconds backoff_first{250};
  std::chrono::milliseconds backoff_last{15'000};
  /// A stream on which nothing comes for so long, with items unanswered, is given up and opened again.
  std::chrono::milliseconds answer_timeout{60'000};
  /// After a stop was requested, answers are still waited for so long.
  std::chrono::milliseconds stop_grace{10'000};
};

struct ImportCounts {
  std::uint64_t enrolled = 0;
  std::uint64_t already = 0;
  std::uint64_t failed = 0;
  std::map<std::string, std::uint64_t> failed_by_reason;
  std::uint64_t reconnections = 0;
};

/// Where the import reports, from any of its threads, one call at a time for each function.
struct ImportOutput {
  std::function<void(ImportResult)> enrolled;
  std::function<void(const ImportFault&)> failed;
};

class ImportSession {
 public:
  /// `stub` must outlive it.
  ImportSession(v1::EnrollmentService::StubInterface& stub, ImportOptions options, ImportOutput output);

  /// Sends everything that `source` has. Returns OK at its end, or when `stop` was requested and what was under way is
  /// answered; the failure that ended it otherwise: then some items are unknown, and running it again is safe.
  tl::expected<void, Failure> Run(ImportSource& source, const std::stop_token& stop);

  /// May be called from any thread.
  ImportCounts counts() const;

 private:
  friend class ImportStream;

  /// The next item that may be sent; broken records are reported on the way. Nothing at the end.
  std::optional<ImportItem> NextItem(ImportSource& source, const std::stop_token& stop);
  void Report(const ImportFault& fault);
  void Report(ImportResult result);

  v1::EnrollmentService::StubInterface& stub_;
  const ImportOptions options_;
  const ImportOutput output_;
  IdSet ids_;
  mutable std::mutex mutex_;
  ImportCounts counts_;
};

}  // namespace idzone::cli
