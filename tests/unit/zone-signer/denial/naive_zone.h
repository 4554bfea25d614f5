// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <vector>

#include "zone-signer/denial/chain.h"
#include "zone-signer/denial/name_tree.h"

namespace idzone::signer::denial {

/// The same questions answered the slow and obvious way: from all names with data, every time from scratch.
struct NaiveZone {
  dns::DenialKind kind;
  dns::Name apex;
  std::set<dns::Name> with_data;

  /// Every name that the chain lists, with its children.
  std::map<dns::Name, TreeNode> Nodes() const {
    std::set<dns::Name> names;
    for (dns::Name name : with_data) {
      for (; name != apex; name = name.Parent()) {
        names.insert(name);
        if (kind == dns::DenialKind::kNsec) break;
      }
    }
    names.insert(apex);
    std::map<dns::Name, TreeNode> nodes;
    for (const dns::Name& name : names) nodes[name] = TreeNode{name, with_data.contains(name) || name == apex, 0};
    for (const dns::Name& name : names) {
      if (name != apex && kind == dns::DenialKind::kNsec3) ++nodes[name.Parent()].child_count;
    }
    return nodes;
  }

  /// The chain: sorted keys, each with the next one, the last with the first.
  std::map<dns::DenialKey, dns::DenialKey> Chain() const {
    std::vector<dns::DenialKey> keys;
    for (const auto& [name, node] : Nodes()) keys.push_back(dns::DenialKeyOf(kind, name, apex));
    std::sort(keys.begin(), keys.end());
    std::map<dns::DenialKey, dns::DenialKey> chain;
    for (std::size_t i = 0; i < keys.size(); ++i) chain[keys[i]] = keys[(i + 1) % keys.size()];
    return chain;
  }
};

}  // namespace idzone::signer::denial
