// SPDX-License-Identifier: MIT
#include "zone-signer/keys/zone_keys.h"

#include <algorithm>

#include "services/core/dns/dnskey.h"
#include "services/core/dns/rrset.h"

namespace idzone::signer::keys {
namespace {

template <typename Chosen>
std::vector<Octets> Records(const std::vector<ZoneKey>& keys, Chosen chosen) {
  std::vector<Octets> records;
  for (const ZoneKey& key : keys) {
    if (chosen(key.uses)) records.push_back(key.dnskey);
  }
  return records;
}

}  // namespace

ZoneKey MakeZoneKey(SigningKey key, zone::KeyRole role, const zone::KeyUses& uses) {
  Octets dnskey = key.DnskeyWith(zone::DnskeyFlags(role));
  const std::uint16_t tag = dns::KeyTag(dnskey);
  return ZoneKey{std::move(key), std::move(dnskey), tag, uses};
}

ZoneKeys ZoneKeys::Single(SigningKey key) {
  return ZoneKeys({MakeZoneKey(std::move(key), zone::KeyRole::kCsk, zone::AllUses(zone::KeyRole::kCsk))});
}

std::vector<Octets> ZoneKeys::Dnskeys() const {
  return Records(keys_, [](const zone::KeyUses& uses) { return uses.in_dnskey; });
}

std::vector<Octets> ZoneKeys::VerifyingDnskeys() const {
  return Records(keys_, [](const zone::KeyUses& uses) { return uses.in_dnskey || uses.signs_data; });
}

bool ZoneKeys::Signs(const ZoneKey& key, dns::RrType type) {
  switch (type) {
    case dns::RrType::kDnskey:
    case dns::RrType::kCds:
    case dns::RrType::kCdnskey: return key.uses.signs_keys;
    default: return key.uses.signs_data;
  }
}

Result<bool> ZoneKeys::AreSignedBy(const std::vector<Octets>& rrsigs, dns::RrType type) const {
  std::size_t signers = 0;
  for (const ZoneKey& key : keys_) signers += Signs(key, type) ? 1 : 0;
  if (rrsigs.size() != signers) return false;
  for (const Octets& rrsig : rrsigs) {
    const auto fields = dns::ParseRrsig(rrsig);
    if (!fields) return tl::unexpected(fields.error());
    const auto signer = std::find_if(keys_.begin(), keys_.end(), [&](const ZoneKey& key) {
      return key.key_tag == fields->key_tag && key.key.algorithm() == fields->algorithm && Signs(key, type);
    });
    if (signer == keys_.end()) return false;
  }
  return true;
}

std::vector<Octets> ZoneKeys::DsRecords(const dns::Name& zone) const {
  std::vector<Octets> records;
  for (const Octets& dnskey : CdnskeyRecords()) records.push_back(dns::EncodeDs(zone, dnskey));
  return records;
}

std::vector<Octets> ZoneKeys::CdnskeyRecords() const {
  return Records(keys_, [](const zone::KeyUses& uses) { return uses.in_ds; });
}

}  // namespace idzone::signer::keys
