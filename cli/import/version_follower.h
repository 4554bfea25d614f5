// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cli/import/result_line.h"
#include "idzone/v1/identity_service.grpc.pb.h"

/// Finds out in which version of the zone each enrollment was published, beside the stream: enrollments share changes, and
/// one WaitForChange asks for many changes.
/// Threads: one of its own; Add may be called from any one thread.
namespace idzone::cli {

struct VersionFollowerOptions {
  std::string namespace_name;
  /// How many results may wait for their version; beyond that Add waits, and so the import.
  std::size_t waiting_max = 65536;
  /// When nothing was published for so long, results are written without a version.
  std::chrono::milliseconds patience{120'000};
  /// The wait that one call asks the server for.
  std::chrono::milliseconds call_wait{2'000};
};

class VersionFollower {
 public:
  /// `stub` and `sink` must outlive it.
  VersionFollower(v1::IdentityService::StubInterface& stub, ImportResultSink& sink, VersionFollowerOptions options);
  ~VersionFollower();
  VersionFollower(const VersionFollower&) = delete;
  VersionFollower& operator=(const VersionFollower&) = delete;

  /// Takes a result; it is written as soon as its version is known.
  void Add(ImportResult result);

  /// From now on, waits at most so long: the caller wants to end.
  void Hurry(std::chrono::milliseconds patience);

  /// Nothing more comes. Returns when every result is written, after at most `patience` without any progress.
  void Finish(std::chrono::milliseconds patience);

  /// Results that were written without a version.
  std::uint64_t unpublished() const;
  std::uint64_t waiting() const;

 private:
  using Clock = std::chrono::steady_clock;

  void Run();
  std::vector<std::uint64_t> NextChanges() const;
  /// Returns whether the server answered.
  bool Ask(const std::vector<std::uint64_t>& changes);
  void WriteChange(std::uint64_t change, PublishedVersion version);
  void GiveUp();

  v1::IdentityService::StubInterface& stub_;
  ImportResultSink& sink_;
  const VersionFollowerOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, std::vector<ImportResult>> by_change_;
  std::vector<ImportResult> known_;  // came with their version
  std::size_t waiting_ = 0;
  std::uint64_t unpublished_ = 0;
  std::chrono::milliseconds patience_;
  Clock::time_point progress_;
  bool finishing_ = false;

  std::thread thread_;  // last: it uses the others
};

}  // namespace idzone::cli
