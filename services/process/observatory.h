// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "services/core/base/error.h"

namespace prometheus {
class Registry;
}

namespace idzone::process {

/// What operators and probes see of a daemon, over plain HTTP on an address that only they reach:
///   /livez    200 while the process answers at all
///   /readyz   200 once SetReady() was called, 503 with the reason otherwise
///   /metrics  Prometheus text format
/// A new observatory is not ready, reason "starting". Threads: any. Metrics may be registered at any time; it works,
/// unreachable, with an empty address too, so that callers need not ask.
class Observatory {
 public:
  /// Listens on "host:port" (port 0 takes a free one; empty: not at all).
  /// VALUE_MALFORMED, UNAVAILABLE (the port is taken).
  static Result<std::unique_ptr<Observatory>> Start(std::string_view address);
  ~Observatory();
  Observatory(const Observatory&) = delete;
  Observatory& operator=(const Observatory&) = delete;

  void SetReady();
  /// `reason` is shown to whoever asks: one line, no secrets.
  void SetNotReady(std::string reason);
  bool ready() const;

  prometheus::Registry& registry();
  /// Returns the port that it listens on, 0 when it does not.
  int port() const;

 private:
  struct Parts;
  explicit Observatory(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace idzone::process
