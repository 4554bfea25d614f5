// SPDX-License-Identifier: GPL-2.0-only
#include "services/nameserver/expiry.h"

#include "services/core/dns/serial.h"
#include "services/core/zone/denial_signatures.h"

namespace idzone::nameserver {
namespace {

/// The type covered, algorithm, labels and original TTL come before it (RFC 4034 §3.1).
constexpr std::size_t kBeforeExpiration = 8;

}  // namespace

std::optional<RrsigTime> ExpiryOf(OctetsView rrsig) {
  OctetReader reader(rrsig);
  reader.Raw(kBeforeExpiration);
  const RrsigTime expiration = reader.U32();
  return reader.ok() ? std::optional(expiration) : std::nullopt;
}

std::optional<RrsigTime> DenialExpiryOf(OctetsView field) {
  std::optional<RrsigTime> last;
  zone::ForEachDenialSignature(field, [&](OctetsView rrsig) {
    const auto expiry = ExpiryOf(rrsig);
    if (expiry && (!last || dns::SerialLess(*last, *expiry))) last = expiry;
  });
  return last;
}

std::optional<RrsigTime> ExpiryOf(const replica::NodeView& node) {
  std::optional<RrsigTime> first;
  for (const auto& rrset : node.rrsets) {
    // One valid signature is enough: the last one of the RRset counts.
    std::optional<RrsigTime> last;
    for (const OctetsView rrsig : rrset.rrsigs) {
      const auto expiry = ExpiryOf(rrsig);
      if (expiry && (!last || dns::SerialLess(*last, *expiry))) last = expiry;
    }
    if (last && (!first || dns::SerialLess(*last, *first))) first = last;
  }
  return first;
}

Result<void> CheckNotExpired(std::optional<RrsigTime> expiry, RrsigTime now, OctetsView owner) {
  // RFC 4034 §3.1.5: "The RRSIG record MUST NOT be used for authentication after the expiration date."
  if (!expiry || !dns::SerialLess(*expiry, now)) return {};
  const auto name = dns::Name::FromWire(owner, "owner");
  return Fail(Reason::kSignatureInvalid, name ? name->Format() : HexEncode(owner), "signatures that have not expired",
              "one that did " + std::to_string(now - *expiry) + " s ago");
}

}  // namespace idzone::nameserver
