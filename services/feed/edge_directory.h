// SPDX-License-Identifier: MIT
#pragma once

#include "services/rpc/caller.h"

namespace idzone::store {
class Database;
}

namespace idzone::feed {

/// The registered edges as callers. Asked once a stream and every few seconds of it: nothing is remembered.
class EdgeDirectory : public rpc::CallerDirectory {
 public:
  explicit EdgeDirectory(store::Database& database) : database_(database) {}

  Result<rpc::Caller> Find(OctetsView fingerprint) override;

 private:
  store::Database& database_;
};

}  // namespace idzone::feed
