// SPDX-License-Identifier: MIT
#include "cli/import/import_session.h"

#include <deque>

#include "cli/import/import_stream.h"
#include "services/process/lifecycle.h"

namespace idzone::cli {
ImportSession::ImportSession(v1::EnrollmentService::StubInterface& stub, ImportOptions options, ImportOutput output)
    : stub_(stub), options_(std::move(options)), output_(std::move(output)) {}

tl::expected<void, Failure> ImportSession::Run(ImportSource& source, const std::stop_token& stop) {
  std::deque<ImportItem> again;
  process::Backoff backoff(options_.backoff_first, options_.backoff_last);
  int attempts = 0;
  while (true) {
    ImportStream stream(*this, stop);
    const ImportStream::End end = stream.Run(source, again);
    // A stop is no failure: what has no answer stays unknown, and the next run sends it again.
    if (end == ImportStream::End::kFinished || stop.stop_requested()) break;
    const grpc::Status status =
        stream.status().ok() ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server could not take all items") : stream.status();
    if (end == ImportStream::End::kRefused) return tl::unexpected(Refused("import into " + options_.namespace_name, status));
    if (stream.made_progress()) {
      attempts = 0;
      backoff.Reset();
    }
    if (++attempts >= options_.attempts_max) return tl::unexpected(Refused("import into " + options_.namespace_name, status));
    {
      const std::lock_guard lock(mutex_);
      ++counts_.reconnections;
    }
    process::SleepFor(stop, backoff.Next());
  }
  if (source.failed())
    return tl::unexpected(Misused("read the import file", {Reason::kUnavailable, "file", "to be read to its end", "a read error"}));
  return {};
}

std::optional<ImportItem> ImportSession::NextItem(ImportSource& source, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::optional<ImportRecord> record = source.Next();
    if (!record) return std::nullopt;
    if (const auto* fault = std::get_if<ImportFault>(&*record)) {
      Report(*fault);
      continue;
    }
    auto& item = std::get<ImportItem>(*record);
    // Letter by letter: whether Hugh and hugh are one identity is the namespace's matter, and the server's to say.
    if (ids_.Insert(item.id)) return std::move(item);
    Report(ImportFault{
        .line = item.line,
        .id = item.id,
        .error = {Reason::kAlreadyExists, "id", "each id once in the file", item.id + " again in line " + std::to_string(item.line)},
        .original = std::move(item.original),
        .text = {}});
  }
  return std::nullopt;
}

void ImportSession::Report(const ImportFault& fault) {
  const std::lock_guard lock(mutex_);
  ++counts_.failed;
  ++counts_.failed_by_reason[std::string(ReasonName(fault.error.reason))];
  output_.failed(fault);
}

void ImportSession::Report(ImportResult result) {
  {
    const std::lock_guard lock(mutex_);
    ++(result.already ? counts_.already : counts_.enrolled);
  }
  output_.enrolled(std::move(result));
}

ImportCounts ImportSession::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace idzone::cli
