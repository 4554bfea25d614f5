// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <vector>

#include "services/core/dns/denial.h"
#include "services/core/dns/name.h"
#include "services/core/dns/rrset.h"

/// A node is everything that a zone says at one owner name: its RRsets and signatures, and its place in the denial
/// chain. In an NSEC3 zone an empty non-terminal is a node without RRsets; in an NSEC zone it is no node, because NSEC
/// records stand only at names with RRsets (RFC 4035 §2.3). PostgreSQL, the journal, the feed and the replica all carry
/// the encodings of this header; each of their readers decodes before it believes.
///
/// RRsets (big-endian):
///   u8 count, then for each, ascending by type:  u16 type · u32 ttl · u8 records · { u16 size · RDATA }…
///                                                · u8 signatures · { u16 size · RRSIG RDATA }…
/// Example: one TLSA "3 1 1 …", TTL 300, one signature:
///   01 | 0034 0000012c 01 | 0023 03 01 01 <32 octets> | 01 | <size> <RRSIG RDATA>
namespace idzone::zone {

/// A place in the denial chain: what comes next, and the signature over the NSEC3 or NSEC record that says so. The record
/// itself is not kept: it follows from the node (dns::MakeDenialRecord; TTL = negative TTL).
struct Denial {
  Octets next;   // NSEC3: the next hash; NSEC: the next owner name, wire form, the last one pointing at the apex
  Octets rrsig;  // RRSIG RDATA of the record: NSEC3's at <hash>.<zone>, NSEC's at the owner itself

  friend bool operator==(const Denial&, const Denial&) = default;
};

struct Node {
  dns::Name owner;
  std::vector<dns::RrSet> rrsets;  // ascending by type, one RRset a type
  Denial denial;

  const dns::RrSet* Find(dns::RrType type) const;
  std::vector<dns::RrType> Types() const;
};

/// Returns the encoding above.
Octets EncodeRrSets(const std::vector<dns::RrSet>& rrsets);

/// Decodes untrusted octets: RECORD_TYPE_FORBIDDEN for a type outside the allow-list, ENCODING_MALFORMED or
/// LIMIT_EXCEEDED for anything else that EncodeRrSets would not have written.
Result<std::vector<dns::RrSet>> DecodeRrSets(OctetsView octets, const dns::Name& owner);

/// One node's part of a version: what a follower applies. A new node has both data and denial; a changed predecessor
/// in the chain has denial only; a refreshed signature has what was signed again; a removed node has neither.
struct NodeChange {
  struct Data {
    dns::Name owner;
    std::vector<dns::RrSet> rrsets;
    friend bool operator==(const Data&, const Data&) = default;
  };

  dns::DenialKey key;
  bool removed = false;
  std::optional<Data> data;
  std::optional<Denial> denial;

  friend bool operator==(const NodeChange&, const NodeChange&) = default;
};

/// A delta is the list of a version's changes, ascending by key, one change a key.
///   { u8 flags (1 data, 2 denial, 4 removed) · u8-sized key
///     · [data: u8-sized owner · u32-sized RRsets] · [denial: u8-sized next · u16-sized RRSIG RDATA] }…
Octets EncodeDelta(const std::vector<NodeChange>& changes);
/// Decodes untrusted octets: every key, owner and next must be one of a zone of that name and kind.
Result<std::vector<NodeChange>> DecodeDelta(OctetsView octets, const dns::Name& zone, dns::DenialKind denial);

}  // namespace idzone::zone
