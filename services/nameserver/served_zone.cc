// SPDX-License-Identifier: GPL-2.0-only
#include "services/nameserver/served_zone.h"

#include <algorithm>
#include <utility>

#include "services/core/base/limits.h"

namespace idzone::nameserver {
namespace {

Result<std::optional<ServedZone>> Served(dns::Name apex, Result<std::optional<replica::ZoneRecord>> record) {
  if (!record) return tl::unexpected(record.error());
  if (!*record) return std::nullopt;
  return ServedZone{std::move(apex), **record};
}

}  // namespace

Result<std::optional<ServedZone>> FindServedZone(replica::Snapshot& snapshot, const dns::Name& apex) {
  return Served(apex, snapshot.FindZone(apex.wire()));
}

Result<std::optional<ServedZone>> FindServedZone(replica::Snapshot& snapshot, replica::ZoneNumber number) {
  auto wire = snapshot.FindApex(number);
  if (!wire) return tl::unexpected(wire.error());
  if (!*wire) return std::nullopt;
  auto apex = dns::Name::FromWire(**wire, "zone of the replica");
  if (!apex) return tl::unexpected(apex.error());
  return FindServedZone(snapshot, *apex);
}

Result<std::optional<ServedZone>> FindEnclosingZone(replica::Snapshot& snapshot, dns::Name name) {
  while (true) {
    auto zone = FindServedZone(snapshot, name);
    if (!zone || *zone || name.IsRoot()) return zone;
    name = name.Parent();
  }
}

dns::DenialKey LookUpKey(const ServedZone& zone, const dns::Name& name) {
  if (zone.record.denial == dns::DenialKind::kNsec3) return dns::Nsec3Hash(name);
  const auto labels = name.Labels();
  dns::DenialKey key(1, '\0');
  for (std::size_t i = labels.size() - zone.apex.label_count(); i-- > 0;) {
    const std::size_t zero = labels[i].find('\0');
    if (zero != OctetsView::npos) {
      // `a\000b` lies behind `a` and all that is below it, whose next label is below 64 times 0xff, and before `a\001`.
      key.append(labels[i].substr(0, zero)).push_back('\0');
      return key.append(limits::kLabelOctetsMax + 1, '\xff');
    }
    key.append(labels[i]).push_back('\0');
  }
  return key;
}

Result<void> CheckCovers(const ServedZone& zone, const replica::Place& place, OctetsView key) {
  if (place.exact) return {};
  const OctetsView from = place.node.key;
  dns::DenialKey made;
  OctetsView to = place.node.next;
  if (zone.record.denial == dns::DenialKind::kNsec) {
    auto next = dns::KeyOfDenialNext(zone.record.denial, to, zone.apex);
    if (!next) return tl::unexpected(next.error());
    made = *std::move(next);
    to = made;
  }
  // The last node's record covers what lies behind it and what lies before the first.
  const bool covers = from < to ? from < key && key < to : from < key || key < to;
  if (covers && place.names_below == (zone.record.denial == dns::DenialKind::kNsec && to.starts_with(key))) return {};
  return Fail(Reason::kEncodingMalformed, "zone " + zone.apex.Format(), "a node that covers " + HexEncode(key),
              HexEncode(from) + " to " + HexEncode(to));
}

Result<dns::Ttl> NegativeTtl(const ServedZone& zone, const replica::NodeView* apex) {
  const replica::RrSetView* soa = apex == nullptr ? nullptr : apex->Find(dns::RrType::kSoa);
  if (soa == nullptr || soa->rdatas.size() != 1 || soa->rdatas[0].size() < 4)
    return Fail(Reason::kEncodingMalformed, "zone " + zone.apex.Format(), "one SOA record at the apex", "none");
  // MINIMUM is the last number of the RDATA (RFC 1035 §3.3.13).
  OctetReader minimum(soa->rdatas[0].substr(soa->rdatas[0].size() - 4));
  return std::min(soa->ttl, minimum.U32());
}

}  // namespace idzone::nameserver
