// SPDX-License-Identifier: GPL-2.0-only
#include "services/nameserver/transfer_keys.h"

#include <algorithm>

#include "services/core/base/limits.h"
#include "services/sealing/private_file.h"

namespace idzone::nameserver {

Result<TransferKeys> TransferKeys::Read(const std::filesystem::path& file) {
  const auto content = sealing::ReadPrivateFile(file, limits::kSecondariesFileOctetsMax);
  if (!content) return tl::unexpected(content.error());
  auto secondaries = zone::ParseSecondaries(content->view());
  if (!secondaries) return tl::unexpected(secondaries.error());
  if (secondaries->empty()) return Fail(Reason::kValueMissing, file.string(), "at least one secondary", "none");
  TransferKeys keys;
  for (zone::Secondary& secondary : *secondaries) {
    keys.names_.push_back(secondary.key.name.Format());
    keys.keys_.push_back(std::move(secondary.key));
  }
  return keys;
}

const zone::TsigKey* TransferKeys::Find(OctetsView name) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const zone::TsigKey& key) { return key.name.wire() == name; });
  return found == keys_.end() ? nullptr : &*found;
}

}  // namespace idzone::nameserver
