// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "services/nameserver/record.h"
#include "services/nameserver/served_zone.h"

namespace idzone::nameserver {

/// A whole zone for a transfer, node by node in the order of the denial chain. PowerDNS wants it as a pre-signed zone
/// looks to its own database: every RRset with its RRSIGs, an empty record at each empty non-terminal, the RRSIG of each
/// NSEC3 record at <hash>.<zone> and of each NSEC record at its owner, but neither NSEC nor NSEC3 records (it rebuilds
/// them) nor NSEC3PARAM (it adds that itself).
/// Errors: ENCODING_MALFORMED when the replica is damaged: also when what comes next in it is not the node that the last one's denial
/// record names, and at the end, when that is not the first one. Threads: one.
class ZoneListing {
 public:
  struct Entry {
    dns::Name owner;
    std::vector<AnswerRecord> records;
  };

  ZoneListing(ServedZone zone, MakeContent make) : zone_(std::move(zone)), make_(std::move(make)) {}

  /// Returns the next owner and its records, or nothing after the last. Requires: a held snapshot, the same each time.
  Result<std::optional<Entry>> Next(replica::Snapshot& snapshot);

  const ServedZone& zone() const { return zone_; }

 private:
  /// `key` is the next node's; at the end the first one's, to which the chain leads back.
  Result<void> CheckFollows(OctetsView key) const;

  ServedZone zone_;
  MakeContent make_;
  dns::DenialKey last_;
  dns::DenialKey first_;
  std::optional<dns::DenialKey> awaited_;  // what the last one's denial record names
  std::optional<dns::Ttl> negative_ttl_;
  std::optional<Entry> denial_;  // what is said at the NSEC3 owner of the node that was returned last
  bool ended_ = false;
};

}  // namespace idzone::nameserver
