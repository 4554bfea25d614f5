// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "services/core/base/clock.h"
#include "services/core/dns/name.h"
#include "services/core/dns/rrset.h"
#include "services/core/zone/version.h"

namespace idzone::replica {

/// Zones below a cut that are whole, and wait until their parent delegates to them: until then nothing says that their keys are to be
/// trusted, and nobody may see them. Threads: one.
class WaitingChildren {
 public:
  /// DS RDATA by owner.
  using Delegations = std::map<dns::Name, std::vector<Octets>>;
  struct Child {
    dns::Name parent;
    zone::ZonePosition position;
    dns::RrSet dnskeys;
    Delegations delegations;  // to other children that wait
  };
  /// Returns the DS RDATA that a parent has for a child; null: it does not delegate to it.
  using DelegationOf = std::function<const std::vector<Octets>*(const dns::Name& child)>;

  bool empty() const { return children_.empty(); }
  bool Contains(const dns::Name& zone) const { return children_.contains(zone); }
  /// Requires: not empty.
  const dns::Name& first() const { return children_.begin()->first; }

  void Keep(const dns::Name& zone, Child child) { children_.insert_or_assign(zone, std::move(child)); }
  void Forget(const dns::Name& zone) { children_.erase(zone); }
  /// Takes one that waits no longer. Requires: Contains(zone).
  Child Take(const dns::Name& zone);

  /// Returns the children of that parent that may become visible with it, those whose keys its DS records name, and their children.
  std::vector<dns::Name> ReadyBelow(const dns::Name& parent, const DelegationOf& delegation_of, UnixTime now) const;

 private:
  std::map<dns::Name, Child> children_;
};

}  // namespace idzone::replica
