// SPDX-License-Identifier: MIT
#include "cli/import/id_set.h"

#include "services/core/base/octets.h"

namespace idzone::cli {

namespace {
constexpr std::size_t kFirstSlots = 1024;
}

IdSet::IdSet() : slots_(kFirstSlots, 0) {}

bool IdSet::Insert(std::string_view id) {
  if (count_ >= kIdsMax) return true;
  // A cryptographic digest, because the ids of a hostile file must not be able to meet on purpose.
  const Octets octets = Sha256(id);
  OctetReader reader(octets);
  std::uint64_t digest = reader.U64();
  if (digest == 0) digest = 1;
  if (!Place(slots_, digest)) return false;
  if (++count_ * 2 > slots_.size()) Grow();
  return true;
}

bool IdSet::Place(std::vector<std::uint64_t>& slots, std::uint64_t digest) const {
  const std::size_t mask = slots.size() - 1;
  std::size_t slot = digest & mask;
  for (; slots[slot] != 0; slot = (slot + 1) & mask) {
    if (slots[slot] == digest) return false;
  }
  slots[slot] = digest;
  return true;
}

void IdSet::Grow() {
  std::vector<std::uint64_t> larger(slots_.size() * 2, 0);
  for (const std::uint64_t digest : slots_) {
    if (digest != 0) Place(larger, digest);
  }
  slots_.swap(larger);
}

}  // namespace idzone::cli
