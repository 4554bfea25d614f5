// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "services/core/base/octets.h"

/// The signatures of a denial record, in the one field that nodes, deltas and replicas have for them. It is the RRSIG RDATA
/// itself; only while an algorithm is replaced are there two (RFC 6781 §4.1.4). Then the field is
///   u16 0 · { u16 size · RRSIG RDATA }…
/// which no RRSIG RDATA begins with: its first two octets are the type that it covers.
namespace idzone::zone {

/// Requires: at least one.
inline Octets EncodeDenialSignatures(const std::vector<Octets>& rrsigs) {
  if (rrsigs.size() == 1) return rrsigs.front();
  Octets field;
  OctetWriter writer(field);
  writer.U16(0);
  for (const Octets& rrsig : rrsigs) writer.U16Sized(rrsig);
  return field;
}

/// Calls `take` with each RRSIG RDATA, a view of the field; of a field that cannot be read, with those before the fault.
template <typename Take>
void ForEachDenialSignature(OctetsView field, Take take) {
  OctetReader reader(field);
  if (reader.U16() != 0) return take(field);
  while (reader.ok() && !reader.at_end()) {
    const OctetsView rrsig = reader.U16Sized();
    if (reader.ok()) take(rrsig);
  }
}

inline std::vector<Octets> DecodeDenialSignatures(OctetsView field) {
  std::vector<Octets> rrsigs;
  ForEachDenialSignature(field, [&](OctetsView rrsig) { rrsigs.emplace_back(rrsig); });
  return rrsigs;
}

}  // namespace idzone::zone
