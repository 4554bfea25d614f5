// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "services/core/zone/secondary.h"

/// The keys with which listed secondaries may transfer zones. Only a transfer host has any: a public edge has no list,
/// knows no key, and so grants no signed request.
namespace idzone::nameserver {

class TransferKeys {
 public:
  /// Of a public edge: no keys.
  TransferKeys() = default;
  /// Reads the list of secondaries (services/core/zone/secondary.h), a file of mode 0600.
  /// KEY_FILE_INVALID; what ParseSecondaries says; VALUE_MISSING a list without secondaries.
  static Result<TransferKeys> Read(const std::filesystem::path& file);

  /// Returns the key of that name (wire form, lower case), or null.
  const zone::TsigKey* Find(OctetsView name) const;
  /// The keys' names in presentation form: any of them may transfer any zone.
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<zone::TsigKey> keys_;
  std::vector<std::string> names_;
};

}  // namespace idzone::nameserver
