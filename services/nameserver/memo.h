// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "services/nameserver/expiry.h"
#include "services/nameserver/record.h"
#include "services/nameserver/served_zone.h"

/// What one backend instance met in the replica, kept because PowerDNS asks again and again: the apex with every query,
/// the parents of names and the wildcards below those with every other, and the name of the query and what denies it
/// up to ten times within one. Nothing is kept beyond the moment in which it was met.
namespace idzone::nameserver {

/// Where one name or one place of the denial chain was looked for, and the node that lies there or covers it.
struct Known {
  std::uint64_t moment = 0;  // 0: nothing
  replica::ZoneNumber zone = 0;
  Octets name = {};    // wire form, lower case; empty: it was looked for by its key alone
  dns::DenialKey key;  // what was looked for
  std::optional<replica::Place> place = {};
  /// What the node in `place` looks at, when it is kept beyond the query: a checksum says what octets in the map were when it
  /// was made, and in a file that somebody damages they change. Nothing: the map's own.
  std::shared_ptr<const std::pair<Octets, Octets>> octets = {};
  /// When the node in `place` expires, if it ever does; worked out when it is first asked for.
  std::optional<std::optional<RrsigTime>> expiry = {};
  // The records of the node in `place`, made when they are first asked for.
  std::optional<std::vector<AnswerRecord>> data = {};
  std::optional<std::vector<AnswerRecord>> signatures = {};

  /// Whether a node of that owner lies there, be it what was looked for or what covers that.
  bool Holds(OctetsView owner) const { return place && place->node.owner == owner; }
};

/// Threads: one. Limits: kAncestors names, kZones zones, kQuery steps of one query.
class Memo {
 public:
  /// Enough for the parents of a zone of some millions of names and their wildcards; one that finds its slot taken
  /// replaces the other.
  static constexpr std::size_t kAncestors = 4096;
  static constexpr std::size_t kZones = 4096;
  /// A name of 127 labels has as many ancestors and wildcards.
  static constexpr std::size_t kQuery = 512;

  /// Forgets everything that was met in another moment.
  void SetMoment(std::uint64_t moment);
  /// A query opens: the next name that is asked for a client is its target.
  void Open();

  /// Both valid until the next Open or SetMoment.
  const ServedZone* FindZone(replica::ZoneNumber number) const;
  const ServedZone& AddZone(ServedZone zone);

  /// What was looked for by that name, or a node whose owner it is; null: neither. `for_client` as for Add.
  Known* FindName(const ServedZone& zone, OctetsView name, bool for_client);
  /// What was looked for by that key in this query; null: nothing.
  Known* FindKey(const ServedZone& zone, OctetsView key);
  /// Something of this query whose node has that key; null: nothing.
  Known* FindNode(const ServedZone& zone, OctetsView key);

  /// Keeps what was found. `for_client`: the name was asked for a client; the first such one is the query's target and
  /// kept to its end, later ones are its ancestors and their wildcards, and kept for later queries.
  Known& Add(Known known, bool for_client);
  /// As Add, for the apex: kept for later queries, and nothing takes its place.
  Known& AddApex(const ServedZone& zone, Known known);

 private:
  struct KnownZone {
    ServedZone zone;
    Known apex;
  };

  Known& Keep(Known known);
  Known& Remember(Known& known);
  std::unique_ptr<Known>& Slot(replica::ZoneNumber zone, OctetsView name);
  bool IsHere(const Known& known, const ServedZone& zone) const { return known.moment == moment_ && known.zone == zone.record.number; }

  std::uint64_t moment_ = 0;
  std::unordered_map<replica::ZoneNumber, KnownZone> zones_;
  std::vector<std::unique_ptr<Known>> ancestors_ = std::vector<std::unique_ptr<Known>>(kAncestors);
  Known target_;
  bool has_target_ = false;
  std::array<Known, 8> others_;  // what denies: at most six in a query
  std::size_t next_other_ = 0;
  std::vector<Known*> query_;  // what this query has met of the above
};

}  // namespace idzone::nameserver
