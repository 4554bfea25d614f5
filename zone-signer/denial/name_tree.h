// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "services/core/dns/denial.h"
#include "services/core/dns/name.h"

/// Which names the denial chain lists: those with data and, in an NSEC3 zone, the empty non-terminals above them (RFC 4592
/// §2.2.2, RFC 5155 §7.1). There a node counts its children, so that the last child's removal removes an empty
/// non-terminal without looking for others. In an NSEC zone a name without data has no NSEC record (RFC 4035 §2.3), no
/// node has a count, and names come and go by themselves.
/// Pure: the store loads what is needed and applies what changes.
namespace idzone::signer::denial {

/// A name that exists.
struct TreeNode {
  dns::Name owner;
  bool has_data = false;
  std::int32_t child_count = 0;

  friend bool operator==(const TreeNode&, const TreeNode&) = default;
};

/// Returns the names whose state decides what happens when data comes or goes at `owners`: themselves and the apex, with
/// NSEC3 everything between as well, each once. Requires: every owner is at or below the apex.
std::vector<dns::Name> NamesAround(dns::DenialKind kind, const dns::Name& apex, const std::vector<dns::Name>& owners);

class NameTree {
 public:
  /// `existing` holds all nodes among NamesAround() that exist; whatever is not in it does not exist.
  /// Requires: the apex is in it, with data.
  NameTree(dns::DenialKind kind, dns::Name apex, const std::vector<TreeNode>& existing);

  /// Says that `owner` has data from now on, or none.
  void SetData(const dns::Name& owner, bool has_data);

  /// What is different from the beginning; a name that went and came back is not.
  struct Changes {
    std::vector<TreeNode> created;
    std::vector<TreeNode> removed;
    std::vector<TreeNode> changed;  // has_data or child_count, as they are now
  };
  Changes Difference() const;

  /// Returns the node, or null when the name does not exist now.
  const TreeNode* Find(const dns::Name& owner) const;

 private:
  void AddChild(dns::Name parent);
  void RemoveIfEmpty(dns::Name owner);

  dns::DenialKind kind_;
  dns::Name apex_;
  std::unordered_map<dns::Name, TreeNode> before_;
  std::unordered_map<dns::Name, TreeNode> now_;
};

}  // namespace idzone::signer::denial
