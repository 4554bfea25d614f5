// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "services/core/base/clock.h"
#include "services/core/zone/secondary.h"
#include "services/core/zone/secondary_report.h"
#include "services/transfer/secondary_watch.h"

namespace prometheus {
class Registry;
}

namespace idzone::replica {
class Environment;
}

/// What a transfer host does for its secondaries beside answering them: tells them of new versions, asks where they stand, and
/// keeps the catalog of zones. It reads the replica, and the list of secondaries with their keys.
namespace idzone::transfer {

struct SecondaryOptions {
  std::filesystem::path list_file;
  std::chrono::milliseconds notify_period{10'000};
  std::optional<dns::Name> catalog;  // none: no catalog zone
  std::filesystem::path catalog_file;
};

/// A thread of its own. Errors after the start are logged; nothing of them concerns the replica.
class SecondaryService {
 public:
  /// KEY_FILE_INVALID, what ParseSecondaries and ParseCatalog say, UNAVAILABLE when there is no socket.
  static Result<std::unique_ptr<SecondaryService>> Start(const SecondaryOptions& options, std::shared_ptr<replica::Environment> environment,
                                                         const Clock& clock, prometheus::Registry& registry);
  /// Ends the thread.
  ~SecondaryService();
  SecondaryService(const SecondaryService&) = delete;
  SecondaryService& operator=(const SecondaryService&) = delete;

  /// Returns what is new of where the secondaries stand since the last call, nothing when nothing is; `all`: all of it, also nothing.
  /// Threads: any.
  std::optional<zone::SecondaryReport> TakeReport(bool all);

 private:
  class Worker;
  explicit SecondaryService(std::unique_ptr<Worker> worker);

  std::unique_ptr<Worker> worker_;
  std::jthread thread_;
};

}  // namespace idzone::transfer
