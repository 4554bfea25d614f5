// SPDX-License-Identifier: MIT
#include "services/core/zone/version.h"

namespace idzone::zone {

Octets VersionDigest(OctetsView previous_digest, Epoch epoch, dns::Serial serial, OctetsView delta) {
  Octets octets;
  octets.reserve(previous_digest.size() + 8 + delta.size());
  OctetWriter writer(octets);
  writer.Raw(previous_digest);
  writer.U32(epoch);
  writer.U32(serial);
  writer.Raw(delta);
  return Sha256(octets);
}

}  // namespace idzone::zone
