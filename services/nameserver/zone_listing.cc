// SPDX-License-Identifier: GPL-2.0-only
#include "services/nameserver/zone_listing.h"

#include "services/core/dns/rr_type.h"

namespace idzone::nameserver {

Result<std::optional<ZoneListing::Entry>> ZoneListing::Next(replica::Snapshot& snapshot) {
  if (denial_) return std::exchange(denial_, std::nullopt);
  if (ended_) return std::nullopt;
  if (!negative_ttl_) {
    const auto apex = snapshot.Find(zone_.record.generation, LookUpKey(zone_, zone_.apex));
    if (!apex) return tl::unexpected(apex.error());
    const auto ttl = NegativeTtl(zone_, *apex && (*apex)->exact ? &(*apex)->node : nullptr);
    if (!ttl) return tl::unexpected(ttl.error());
    negative_ttl_ = *ttl;
  }
  auto node = snapshot.After(zone_.record.generation, last_);
  if (!node) return tl::unexpected(node.error());
  if (auto follows = CheckFollows(*node ? (*node)->key : OctetsView(first_)); !follows) return tl::unexpected(follows.error());
  if (!*node) {
    ended_ = true;
    return std::nullopt;
  }
  auto next = dns::KeyOfDenialNext(zone_.record.denial, (*node)->next, zone_.apex);
  if (!next) return tl::unexpected(next.error());
  if (!awaited_) first_ = (*node)->key;
  awaited_ = *std::move(next);
  auto owner = dns::Name::FromWire((*node)->owner, "node of the replica");
  if (!owner) return tl::unexpected(owner.error());

  Entry entry{*std::move(owner), {}};
  for (const auto& rrset : (*node)->rrsets) {
    if (rrset.type != dns::RrType::kNsec3Param) AppendData(rrset, entry.owner == zone_.apex, make_, entry.records);
    AppendSignatures(rrset, make_, entry.records);
  }
  if ((*node)->rrsets.empty()) entry.records.push_back({});
  last_ = (*node)->key;
  if (zone_.record.denial == dns::DenialKind::kNsec) {
    AppendDenialSignature(**node, dns::RrType::kNsec, *negative_ttl_, make_, entry.records);
    return entry;
  }
  denial_ = Entry{dns::Nsec3Owner(last_, zone_.apex), {}};
  AppendDenialSignature(**node, dns::RrType::kNsec3, *negative_ttl_, make_, denial_->records);
  return entry;
}

Result<void> ZoneListing::CheckFollows(OctetsView key) const {
  if (!awaited_ || key == *awaited_) return {};
  return Fail(Reason::kEncodingMalformed, "zone " + zone_.apex.Format(), "a node " + HexEncode(*awaited_) + " behind " + HexEncode(last_),
              HexEncode(key));
}

}  // namespace idzone::nameserver
