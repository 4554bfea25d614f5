// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "services/core/dns/presentation.h"
#include "services/nameserver/record.h"
#include "services/replica/writer.h"

namespace idzone::nameserver {

inline constexpr std::size_t kMapOctets = std::size_t{16} << 20;

template <typename T>
T Must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().Detail());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

inline dns::Name MakeName(const std::string& text) {
  return Must(dns::Name::Parse(text));
}

/// Content that is the RDATA itself, and how to read it.
inline Content KeepRdata(std::uint16_t /*type*/, OctetsView rdata) {
  return std::make_shared<Octets>(rdata);
}
inline const Octets& RdataOf(const AnswerRecord& record) {
  return *static_cast<const Octets*>(record.content.get());
}

/// RRSIG RDATA of that type; what it says beyond does not matter to who only passes it on.
inline Octets MakeRrsig(dns::RrType type) {
  return Octets{'\0', static_cast<char>(type)} + Octets(16, '\1') + Octets(1, '\0') + "signature";
}

inline dns::RrSet MakeRrSet(dns::RrType type, dns::Ttl ttl, Octets rdata) {
  return {type, ttl, {std::move(rdata)}, {MakeRrsig(type)}};
}

/// Nodes with a closed chain, ascending by key. In an NSEC zone, names without records are left out.
inline std::vector<zone::NodeChange> MakeNodes(const std::vector<std::pair<dns::Name, std::vector<dns::RrSet>>>& names,
                                               dns::DenialKind kind, const dns::Name& apex) {
  std::vector<zone::NodeChange> nodes;
  for (const auto& [owner, rrsets] : names)
    if (kind == dns::DenialKind::kNsec3 || !rrsets.empty())
      nodes.push_back({dns::DenialKeyOf(kind, owner, apex), false, zone::NodeChange::Data{owner, rrsets}, {}});
  std::sort(nodes.begin(), nodes.end(), [](const auto& left, const auto& right) { return left.key < right.key; });
  const bool nsec = kind == dns::DenialKind::kNsec;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const zone::NodeChange& next = nodes[(i + 1) % nodes.size()];
    nodes[i].denial = zone::Denial{nsec ? next.data->owner.wire() : next.key, MakeRrsig(nsec ? dns::RrType::kNsec : dns::RrType::kNsec3)};
  }
  return nodes;
}

/// A replica in a folder of its own that holds `_device.acme.example.`: the apex, an identity at `d.e`, the empty
/// non-terminal `e`, and the cut `cut`.
class ServedReplica {
 public:
  explicit ServedReplica(dns::DenialKind kind = dns::DenialKind::kNsec3)
      : kind_(kind), directory_(std::string(::testing::TempDir()) + "replica-XXXXXX") {
    if (mkdtemp(directory_.data()) == nullptr) throw std::runtime_error("no temporary folder");
    writer_ = Must(replica::ReplicaWriter::Open(directory_, kMapOctets));
  }
  ~ServedReplica() {
    writer_.reset();
    std::filesystem::remove_all(directory_);
  }

  /// `more`: names that have a TLSA record, too.
  void Load(dns::Serial serial, const std::vector<dns::Name>& more = {}) {
    const dns::SoaFields soa{.primary = MakeName("ns1.example.net."), .mailbox = apex, .serial = serial, .minimum = 300};
    std::vector<dns::RrSet> rrsets = {MakeRrSet(dns::RrType::kNs, 3600, dns::EncodeNs(MakeName("ns1.example.net."))),
                                      MakeRrSet(dns::RrType::kSoa, 600, dns::EncodeSoa(soa))};
    if (kind_ == dns::DenialKind::kNsec3) rrsets.push_back(MakeRrSet(dns::RrType::kNsec3Param, 300, dns::EncodeNsec3Param()));
    const dns::RrSet tlsa = MakeRrSet(dns::RrType::kTlsa, 60, Octets("\3\1\1", 3) + Octets(32, 'x'));
    std::vector<std::pair<dns::Name, std::vector<dns::RrSet>>> names = {
        {apex, rrsets},
        {MakeName("e._device.acme.example."), {}},
        {identity, {tlsa}},
        {cut, {{dns::RrType::kNs, 3600, {dns::EncodeNs(MakeName("ns.else."))}, {}}}}};
    for (const dns::Name& name : more) names.push_back({name, {tlsa}});
    Must(writer_->BeginSnapshot(apex, {1, serial, Sha256(std::to_string(serial))}, kind_));
    Must(writer_->AddNodes(apex, MakeNodes(names, kind_, apex)));
    Must(writer_->CommitSnapshot(apex, {}));
  }

  const std::string& directory() const { return directory_; }
  replica::ReplicaWriter& writer() { return *writer_; }
  void CloseWriter() { writer_.reset(); }

  const dns::Name apex = MakeName("_device.acme.example.");
  const dns::Name identity = MakeName("d.e._device.acme.example.");
  const dns::Name cut = MakeName("cut._device.acme.example.");

 private:
  const dns::DenialKind kind_;
  std::string directory_;
  std::unique_ptr<replica::ReplicaWriter> writer_;
};

}  // namespace idzone::nameserver
