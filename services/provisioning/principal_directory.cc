// SPDX-License-Identifier: MIT
#include "services/provisioning/principal_directory.h"

#include "services/store/database.h"
#include "services/store/registry_operator.h"

namespace idzone::provisioning {
namespace {

constexpr std::chrono::seconds kRememberedFor(1);
constexpr std::size_t kEntriesMax = 4096;

}  // namespace

Result<rpc::Caller> PrincipalDirectory::Find(OctetsView fingerprint) {
  const Octets key(fingerprint);
  const auto now = std::chrono::steady_clock::now();
  {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(key);
    if (found != entries_.end() && now - found->second.read_at < kRememberedFor) return found->second.caller;
  }
  const auto principal = store::FindPrincipal(database_, fingerprint);
  if (!principal && principal.error().reason == Reason::kNotFound)
    return Fail(Reason::kPrincipalUnknown, "client certificate", "the key of a registered principal", "SHA-256 " + HexEncode(key));
  if (!principal) return tl::unexpected(principal.error());
  if (principal->disabled_at)
    return Fail(Reason::kPrincipalDisabled, "client certificate", "the key of an enabled principal", "SHA-256 " + HexEncode(key));
  const rpc::Caller caller{.fingerprint = key,
                           .role = static_cast<rpc::Role>(principal->role),
                           .operator_id = principal->operator_id,
                           .edge_id = "",
                           .request_id = ""};
  const std::scoped_lock lock(mutex_);
  if (entries_.size() >= kEntriesMax) entries_.clear();
  entries_[key] = {caller, now};
  return caller;
}

void PrincipalDirectory::Forget(OctetsView fingerprint) {
  const std::scoped_lock lock(mutex_);
  entries_.erase(Octets(fingerprint));
}

}  // namespace idzone::provisioning
