// SPDX-License-Identifier: GPL-2.0-only
// What a transfer host tells PowerDNS beside what every edge does: who may transfer zones, by which key.
#include "services/nameserver/pdns_backend.h"

namespace idzone::nameserver {

/// PowerDNS passes the algorithm that the client claims; another one than the key's is no key.
bool IdentityBackend::getTSIGKey(const DNSName& name, DNSName& algorithm, std::string& content) {
  const zone::TsigKey* key = transfer_keys_.Find(name.toDNSStringLC());
  if (key == nullptr) return false;
  const DNSName own{std::string(zone::TsigAlgorithmName(key->algorithm))};
  if (!algorithm.empty() && algorithm != own) return false;
  algorithm = own;
  content = Base64Encode(key->secret);
  return true;
}

}  // namespace idzone::nameserver
