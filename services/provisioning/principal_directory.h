// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <map>
#include <mutex>

#include "services/rpc/caller.h"

namespace idzone::store {
class Database;
}

namespace idzone::provisioning {

/// The registry's principals as callers. An answer is remembered for a second, so that ten thousand calls a second are
/// one look-up; a principal that is disabled loses its rights within that second on every server, and at once on the
/// one that disabled it (Forget).
class PrincipalDirectory : public rpc::CallerDirectory {
 public:
  explicit PrincipalDirectory(store::Database& database) : database_(database) {}

  Result<rpc::Caller> Find(OctetsView fingerprint) override;
  void Forget(OctetsView fingerprint);

 private:
  struct Entry {
    rpc::Caller caller;
    std::chrono::steady_clock::time_point read_at;
  };

  store::Database& database_;
  std::mutex mutex_;
  std::map<Octets, Entry> entries_;
};

}  // namespace idzone::provisioning
