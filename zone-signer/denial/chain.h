// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <vector>

#include "services/core/dns/denial.h"

/// The denial chain: every name's key points to the next one in key order, the last to the first (RFC 5155 §7.1).
/// Inserting or removing a key changes its predecessor too, and nothing else. Pure; works on a part of the chain.
namespace idzone::signer::denial {

struct Link {
  dns::DenialKey key;
  dns::DenialKey next;

  friend bool operator==(const Link&, const Link&) = default;
};

class Chain {
 public:
  /// `known` holds, of the existing chain, at least every key that will be removed and the predecessor of every key
  /// that will be inserted or removed; the predecessor of the first key is the last one. Empty: a new chain.
  explicit Chain(const std::vector<Link>& known);

  /// Requires: the key is not in the chain.
  void Insert(const dns::DenialKey& key);
  /// Requires: the key is in the chain and not its only one.
  void Remove(const dns::DenialKey& key);

  /// Returns the links that are new or point elsewhere than before, ascending by key.
  std::vector<Link> Changed() const;

 private:
  using Links = std::map<dns::DenialKey, dns::DenialKey>;
  Links::iterator Predecessor(const dns::DenialKey& key);

  Links before_;
  Links now_;
};

}  // namespace idzone::signer::denial
