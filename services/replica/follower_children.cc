// SPDX-License-Identifier: MIT
#include "services/replica/follower_children.h"

#include "services/core/base/error.h"
#include "services/process/log.h"
#include "services/replica/follower_trust.h"

namespace idzone::replica {

WaitingChildren::Child WaitingChildren::Take(const dns::Name& zone) {
  auto taken = children_.extract(zone);
  IDZONE_INVARIANT(!taken.empty(), "only a child that waits is released");
  return std::move(taken.mapped());
}

std::vector<dns::Name> WaitingChildren::ReadyBelow(const dns::Name& parent, const DelegationOf& delegation_of, UnixTime now) const {
  std::vector<dns::Name> ready;
  for (const auto& [name, child] : children_) {
    const std::vector<Octets>* delegation = child.parent == parent ? delegation_of(name) : nullptr;
    if (delegation == nullptr) continue;
    if (auto checked = CheckKeys(name, child.dnskeys, *delegation, now); !checked) {
      process::LogError(process::LogLevel::kError, "replica.child_not_trusted", checked.error(), {{"zone", name.Format()}});
      continue;
    }
    ready.push_back(name);
    const auto below = ReadyBelow(
        name,
        [&](const dns::Name& grandchild) {
          const auto found = child.delegations.find(grandchild);
          return found == child.delegations.end() ? nullptr : &found->second;
        },
        now);
    ready.insert(ready.end(), below.begin(), below.end());
  }
  return ready;
}

}  // namespace idzone::replica
