// SPDX-License-Identifier: MIT
#include "zone-signer/denial/name_tree.h"

#include <unordered_set>

namespace idzone::signer::denial {

std::vector<dns::Name> NamesAround(dns::DenialKind kind, const dns::Name& apex, const std::vector<dns::Name>& owners) {
  std::unordered_set<dns::Name> seen{apex};
  std::vector<dns::Name> names{apex};
  for (const dns::Name& owner : owners) {
    IDZONE_INVARIANT(owner.IsAtOrBelow(apex), "a zone's names are at or below its apex");
    // A name that was seen has, with NSEC3, all its ancestors in the list.
    for (dns::Name name = owner; seen.insert(name).second; name = name.Parent()) {
      names.push_back(name);
      if (kind == dns::DenialKind::kNsec) break;
    }
  }
  return names;
}

NameTree::NameTree(dns::DenialKind kind, dns::Name apex, const std::vector<TreeNode>& existing) : kind_(kind), apex_(std::move(apex)) {
  for (const TreeNode& node : existing) before_.emplace(node.owner, node);
  now_ = before_;
  const auto found = now_.find(apex_);
  IDZONE_INVARIANT(found != now_.end() && found->second.has_data, "a zone has an apex, and it has data");
}

const TreeNode* NameTree::Find(const dns::Name& owner) const {
  const auto found = now_.find(owner);
  return found == now_.end() ? nullptr : &found->second;
}

void NameTree::SetData(const dns::Name& owner, bool has_data) {
  IDZONE_INVARIANT(owner != apex_ || has_data, "the apex keeps its data");
  const auto found = now_.find(owner);
  if (found != now_.end()) {
    found->second.has_data = has_data;
    if (!has_data) RemoveIfEmpty(owner);
    return;
  }
  if (!has_data) return;
  now_.emplace(owner, TreeNode{owner, true, 0});
  if (kind_ == dns::DenialKind::kNsec3) AddChild(owner.Parent());
}

/// RFC 5155 §7.1 step 4: "If the difference in number of labels between the apex and the original owner name is
/// greater than 1, additional NSEC3 RRs need to be added for every empty non-terminal between the apex and the
/// original owner name."
void NameTree::AddChild(dns::Name parent) {
  while (true) {
    const auto [place, created] = now_.try_emplace(parent, TreeNode{parent, false, 0});
    ++place->second.child_count;
    if (!created) return;
    IDZONE_INVARIANT(parent != apex_, "the apex exists");
    parent = parent.Parent();
  }
}

void NameTree::RemoveIfEmpty(dns::Name owner) {
  while (owner != apex_) {
    const auto found = now_.find(owner);
    IDZONE_INVARIANT(found != now_.end(), "the parent of a node exists");
    if (found->second.has_data || found->second.child_count > 0) return;
    now_.erase(found);
    if (kind_ == dns::DenialKind::kNsec) return;
    owner = owner.Parent();
    const auto parent = now_.find(owner);
    IDZONE_INVARIANT(parent != now_.end() && parent->second.child_count > 0, "a parent counts its children");
    --parent->second.child_count;
  }
}

NameTree::Changes NameTree::Difference() const {
  Changes changes;
  for (const auto& [owner, node] : now_) {
    const auto before = before_.find(owner);
    if (before == before_.end()) {
      changes.created.push_back(node);
    } else if (before->second != node) {
      changes.changed.push_back(node);
    }
  }
  for (const auto& [owner, node] : before_) {
    if (!now_.contains(owner)) changes.removed.push_back(node);
  }
  return changes;
}

}  // namespace idzone::signer::denial
