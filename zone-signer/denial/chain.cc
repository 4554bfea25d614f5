// SPDX-License-Identifier: MIT
#include "zone-signer/denial/chain.h"

#include <iterator>

namespace idzone::signer::denial {

Chain::Chain(const std::vector<Link>& known) {
  for (const Link& link : known) before_.emplace(link.key, link.next);
  now_ = before_;
}

/// The greatest known key below `key` is the chain's true predecessor: the one that the chain had at first is known;
/// if it was removed since, then its own predecessor is known as well; what was inserted between is known anyway.
Chain::Links::iterator Chain::Predecessor(const dns::DenialKey& key) {
  auto place = now_.lower_bound(key);
  return place == now_.begin() ? std::prev(now_.end()) : std::prev(place);
}

void Chain::Insert(const dns::DenialKey& key) {
  if (now_.empty()) {
    now_.emplace(key, key);
    return;
  }
  const auto predecessor = Predecessor(key);
  const bool inserted = now_.emplace(key, predecessor->second).second;
  IDZONE_INVARIANT(inserted, "a key is inserted once: two names with one SHA-1 hash would be a collision");
  predecessor->second = key;
}

void Chain::Remove(const dns::DenialKey& key) {
  const auto place = now_.find(key);
  IDZONE_INVARIANT(place != now_.end() && now_.size() > 1, "a key that is removed was known, and its predecessor too");
  Predecessor(key)->second = place->second;
  now_.erase(place);
}

std::vector<Link> Chain::Changed() const {
  std::vector<Link> changed;
  for (const auto& [key, next] : now_) {
    const auto before = before_.find(key);
    if (before == before_.end() || before->second != next) changed.push_back({key, next});
  }
  return changed;
}

}  // namespace idzone::signer::denial
