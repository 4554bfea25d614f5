// SPDX-License-Identifier: MIT
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "services/core/dns/denial.h"
#include "services/replica/writer.h"

namespace idzone::replica {

inline constexpr std::size_t kMapOctets = std::size_t{64} << 20;

/// A directory of its own, removed at the end.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "idzone-replica-XXXXXX").string();
    IDZONE_INVARIANT(mkdtemp(pattern.data()) != nullptr, "a scratch directory can be made");
    path_ = pattern;
  }
  ~ScratchDirectory() { std::filesystem::remove_all(path_); }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline dns::Name ZoneName() {
  return dns::Name::Parse("_device.acme.example.").value();
}

inline zone::ZonePosition At(dns::Serial serial) {
  return {.epoch = 1, .serial = serial, .digest = Sha256("version " + std::to_string(serial))};
}

/// Returns the nodes of a zone with these devices and a closed denial chain, ascending. Signatures are placeholders:
/// the replica does not look at them.
inline std::vector<zone::NodeChange> WholeZone(const std::vector<std::string>& devices) {
  std::map<dns::DenialKey, zone::NodeChange> nodes;
  const auto add = [&](const dns::Name& owner, dns::RrType type, Octets rdata) {
    zone::NodeChange& change = nodes[dns::Nsec3Hash(owner)];
    change.key = dns::Nsec3Hash(owner);
    change.data = zone::NodeChange::Data{owner, {{.type = type, .ttl = 300, .rdatas = {std::move(rdata)}, .rrsigs = {"rrsig"}}}};
  };
  add(ZoneName(), dns::RrType::kNs, dns::Name::Parse("ns1.example.net.").value().wire());
  for (const std::string& device : devices)
    add(ZoneName().Prepend(device).value(), dns::RrType::kTlsa, Octets("\x03\x01\x01", 3) + Sha256(device));
  std::vector<zone::NodeChange> list;
  for (auto node = nodes.begin(); node != nodes.end(); ++node) {
    const auto after = std::next(node) == nodes.end() ? nodes.begin() : std::next(node);
    node->second.denial = zone::Denial{after->first, "denial rrsig"};
    list.push_back(node->second);
  }
  return list;
}

inline std::unique_ptr<ReplicaWriter> OpenWriter(const ScratchDirectory& directory) {
  return ReplicaWriter::Open(directory.path(), kMapOctets).value();
}

/// Fills the zone by a snapshot.
inline void Fill(ReplicaWriter& writer, dns::Serial serial, const std::vector<std::string>& devices) {
  IDZONE_INVARIANT(writer.BeginSnapshot(ZoneName(), At(serial)), "a snapshot begins");
  IDZONE_INVARIANT(writer.AddNodes(ZoneName(), WholeZone(devices)), "its nodes are taken");
  IDZONE_INVARIANT(writer.CommitSnapshot(ZoneName(), {}), "it is committed");
}

inline dns::DenialKey KeyOf(const std::string& device) {
  return dns::Nsec3Hash(ZoneName().Prepend(device).value());
}

inline zone::NodeChange Removal(const std::string& device) {
  zone::NodeChange change;
  change.key = KeyOf(device);
  change.removed = true;
  return change;
}

/// A change of the denial alone, as a new neighbour makes it.
inline zone::NodeChange DenialOnly(const std::string& device, Octets rrsig) {
  zone::NodeChange change;
  change.key = KeyOf(device);
  change.denial = zone::Denial{Octets(20, '\x01'), std::move(rrsig)};
  return change;
}

/// Returns how many entries a tree has.
inline std::size_t CountOf(const std::shared_ptr<Environment>& environment, Tree tree) {
  ReadTransaction transaction(environment);
  IDZONE_INVARIANT(transaction.Renew(), "a snapshot can be taken");
  auto cursor = Cursor::Open(transaction, tree).value();
  std::size_t count = 0;
  for (auto entry = cursor.First().value(); entry; entry = cursor.Next().value()) ++count;
  return count;
}

}  // namespace idzone::replica
