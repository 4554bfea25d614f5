// SPDX-License-Identifier: MIT
// Makes a replica out of a zone file that somebody else signed (ldns-signzone -n -t 0 for NSEC3, without for NSEC), so that
// the name server is tested with signatures and a denial chain that our signer did not make.
// Usage: replica_load DIRECTORY ZONE FILE [SERIAL]
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <type_traits>

// ldns redefines bool unless it is told that C has one.
#include <stdbool.h>

#include <ldns/ldns.h>

#include "services/core/dns/denial.h"
#include "services/replica/writer.h"

namespace {

using namespace idzone;

constexpr std::size_t kMapOctets = std::size_t{1} << 30;
constexpr std::size_t kNodesPerCall = 1000;

template <typename T>
T Must(Result<T> result) {
  if (!result) throw std::runtime_error(std::string(ReasonName(result.error().reason)) + " " + result.error().Detail());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

Octets Wire(const ldns_rdf* rdf) {
  std::unique_ptr<ldns_buffer, decltype(&ldns_buffer_free)> buffer(ldns_buffer_new(LDNS_MAX_PACKETLEN), ldns_buffer_free);
  if (ldns_rdf2buffer_wire(buffer.get(), rdf) != LDNS_STATUS_OK) throw std::runtime_error("rdata that ldns cannot write");
  return Octets(reinterpret_cast<const char*>(ldns_buffer_begin(buffer.get())), ldns_buffer_position(buffer.get()));
}

Octets Rdata(const ldns_rr* rr) {
  Octets rdata;
  for (std::size_t i = 0; i < ldns_rr_rd_count(rr); ++i) rdata += Wire(ldns_rr_rdf(rr, i));
  return rdata;
}

/// A zone by owner, as the file has it.
struct Zone {
  dns::DenialKind kind = dns::DenialKind::kNsec3;
  std::map<dns::Name, std::map<std::uint16_t, dns::RrSet>> names;
  std::map<dns::Name, zone::Denial> denials;  // by the owner of the NSEC or NSEC3 record
};

void Add(Zone& zone, const dns::Name& owner, const ldns_rr* rr) {
  const std::uint16_t type = ldns_rr_get_type(rr);
  const Octets rdata = Rdata(rr);
  if (type == LDNS_RR_TYPE_NSEC3) {
    const Octets next = Wire(ldns_nsec3_next_owner(rr));
    zone.denials[owner].next = next.substr(1);  // its length comes first
    return;
  }
  if (type == LDNS_RR_TYPE_NSEC) {
    zone.kind = dns::DenialKind::kNsec;
    zone.denials[owner].next = Wire(ldns_rr_rdf(rr, 0));
    return;
  }
  if (type == LDNS_RR_TYPE_RRSIG) {
    const auto covered = static_cast<std::uint16_t>(ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(rr)));
    if (covered == LDNS_RR_TYPE_NSEC3 || covered == LDNS_RR_TYPE_NSEC) {
      zone.denials[owner].rrsig = rdata;
    } else {
      zone.names[owner][covered].rrsigs.push_back(rdata);
    }
    return;
  }
  const auto allowed = dns::AllowedRrType(type);
  if (!allowed) throw std::runtime_error("a type that idzone does not know: " + std::to_string(type));
  dns::RrSet& rrset = zone.names[owner][type];
  rrset.type = *allowed;
  rrset.ttl = ldns_rr_ttl(rr);
  rrset.rdatas.push_back(rdata);
}

Zone Read(const char* path, const dns::Name& apex) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path, "r"), std::fclose);
  if (!file) throw std::runtime_error(std::string("cannot read ") + path);
  ldns_zone* parsed = nullptr;
  int line = 0;
  if (ldns_zone_new_frm_fp_l(&parsed, file.get(), nullptr, 3600, LDNS_RR_CLASS_IN, &line) != LDNS_STATUS_OK)
    throw std::runtime_error("bad zone file, line " + std::to_string(line));
  const std::unique_ptr<ldns_zone, decltype(&ldns_zone_deep_free)> owned(parsed, ldns_zone_deep_free);
  Zone zone;
  const auto add = [&](ldns_rr* rr) {
    ldns_rr2canonical(rr);
    Add(zone, Must(dns::Name::FromWire(Wire(ldns_rr_owner(rr)))), rr);
  };
  add(ldns_zone_soa(parsed));
  ldns_rr_list* rrs = ldns_zone_rrs(parsed);
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(rrs); ++i) add(ldns_rr_list_rr(rrs, i));
  // Names that are only there because something lies below them: RFC 4034 has no NSEC record at those.
  if (zone.kind == dns::DenialKind::kNsec) return zone;
  for (auto entry = zone.names.begin(); entry != zone.names.end(); ++entry)
    for (dns::Name name = entry->first; name != apex; name = name.Parent()) zone.names.try_emplace(name);
  return zone;
}

std::vector<zone::NodeChange> Nodes(Zone zone, const dns::Name& apex) {
  std::map<dns::DenialKey, zone::NodeChange> nodes;
  for (auto& [owner, rrsets] : zone.names) {
    zone::NodeChange node{dns::DenialKeyOf(zone.kind, owner, apex), false, zone::NodeChange::Data{owner, {}}, std::nullopt};
    for (auto& [type, rrset] : rrsets) {
      dns::MakeCanonical(rrset);
      node.data->rrsets.push_back(std::move(rrset));
    }
    const auto denial = zone.denials.find(zone.kind == dns::DenialKind::kNsec ? owner : dns::Nsec3Owner(node.key, apex));
    if (denial == zone.denials.end()) throw std::runtime_error("no denial record for " + owner.Format());
    node.denial = denial->second;
    nodes.emplace(node.key, std::move(node));
  }
  std::vector<zone::NodeChange> sorted;
  for (auto& [key, node] : nodes) sorted.push_back(std::move(node));
  return sorted;
}

void Load(const std::string& directory, const dns::Name& apex, const char* path, dns::Serial serial) {
  Zone zone = Read(path, apex);
  const dns::DenialKind kind = zone.kind;
  const std::vector<zone::NodeChange> nodes = Nodes(std::move(zone), apex);
  const auto writer = Must(replica::ReplicaWriter::Open(directory, kMapOctets));
  Must(writer->BeginSnapshot(apex, {1, serial, Sha256(std::to_string(serial))}, kind));
  for (std::size_t i = 0; i < nodes.size(); i += kNodesPerCall) {
    const auto first = nodes.begin() + static_cast<std::ptrdiff_t>(i);
    const auto count = static_cast<std::ptrdiff_t>(std::min(kNodesPerCall, nodes.size() - i));
    Must(writer->AddNodes(apex, {first, first + count}));
  }
  Must(writer->CommitSnapshot(apex, {}));
  std::cout << nodes.size() << " nodes\n";
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 4) throw std::runtime_error("usage: replica_load DIRECTORY ZONE FILE [SERIAL]");
    Load(argv[1], Must(dns::Name::Parse(argv[2])), argv[3], argc > 4 ? static_cast<dns::Serial>(std::stoul(argv[4])) : 1);
    return 0;
  } catch (const std::exception& failure) {
    std::cerr << failure.what() << "\n";
    return 1;
  }
}
