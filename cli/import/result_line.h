// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "services/core/base/octets.h"

namespace idzone::cli {

struct PublishedVersion {
  std::uint32_t epoch = 0;
  std::uint32_t serial = 0;
};

/// One enrolled item, as the results file will have it.
struct ImportResult {
  std::uint64_t line = 0;
  std::string id;
  std::string owner_name;
  Octets fingerprint;
  bool already = false;
  std::uint64_t change = 0;
  std::optional<PublishedVersion> version;  // nothing: not known to be published when the import ended
};

/// Where results go. Called by one thread at a time.
class ImportResultSink {
 public:
  virtual ~ImportResultSink() = default;
  virtual void Write(const ImportResult& result) = 0;
};

}  // namespace idzone::cli
