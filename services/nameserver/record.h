// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "services/core/dns/rrset.h"
#include "services/replica/format.h"

/// The records of a node, as they leave. It knows nothing of PowerDNS but its way of asking.
namespace idzone::nameserver {

/// PowerDNS's number for "whatever is there" (RFC 1035 §3.2.3) and its own for an empty non-terminal.
inline constexpr std::uint16_t kAnyType = 255;
inline constexpr std::uint16_t kEmptyType = 0;

constexpr std::uint16_t Code(dns::RrType type) {
  return static_cast<std::uint16_t>(type);
}

/// What the caller makes of RDATA, opaque here. It outlives the snapshot.
using Content = std::shared_ptr<void>;
/// May throw when the RDATA cannot be read; the exception reaches who asked.
using MakeContent = std::function<Content(std::uint16_t type, OctetsView rdata)>;

/// A record to answer with. Its owner is the name that was asked, in the letters that were asked.
struct AnswerRecord {
  std::uint16_t type = kEmptyType;
  dns::Ttl ttl = 0;
  bool authoritative = true;  // false: NS records of a cut
  std::uint32_t expires = 0;  // of an RRSIG, Unix time; 0: it is none
  std::uint16_t covers = 0;   // of an RRSIG: the type that it is of
  Content content;            // null: an empty non-terminal, or a type alone
};

/// Appends one RRset without its signatures.
void AppendData(const replica::RrSetView& rrset, bool at_apex, const MakeContent& make, std::vector<AnswerRecord>& records);
/// Appends what says that there is an RRset of that type, without content.
void AppendType(const replica::RrSetView& rrset, bool at_apex, std::vector<AnswerRecord>& records);
/// Appends the RRSIGs that cover the RRset.
void AppendSignatures(const replica::RrSetView& rrset, const MakeContent& make, std::vector<AnswerRecord>& records);
/// Appends the RRSIGs of a node's denial record that cover `covered`: one, but two while an algorithm is replaced.
void AppendDenialSignature(const replica::NodeView& node, dns::RrType covered, dns::Ttl ttl, const MakeContent& make,
                           std::vector<AnswerRecord>& records);

}  // namespace idzone::nameserver
