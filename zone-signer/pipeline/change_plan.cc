// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/change_plan.h"

#include <algorithm>

#include "services/core/base/limits.h"
#include "services/core/identity/subject.h"
#include "services/core/records/profile.h"
#include "zone-signer/denial/chain.h"
#include "zone-signer/denial/name_tree.h"

namespace idzone::signer::pipeline {
namespace {

Result<dns::RrSet> TlsaOf(const store::DesiredIdentity& identity, dns::Ttl ttl) {
  dns::RrSet rrset{.type = dns::RrType::kTlsa, .ttl = ttl, .rdatas = identity.tlsa_rdatas, .rrsigs = {}};
  dns::MakeCanonical(rrset);
  if (rrset.rdatas.size() > limits::kRdatasPerRrSetMax)
    return Fail(Reason::kLimitExceeded, "identity " + identity.subject, "at most 8 records", std::to_string(rrset.rdatas.size()));
  for (const Octets& rdata : rrset.rdatas) {
    if (auto checked = records::CheckTlsa(rdata); !checked) return tl::unexpected(checked.error());
  }
  return rrset;
}

/// Applies the wishes to the nodes that exist, and to the tree of names.
void ApplyWishes(const Wishes& wishes, VersionDraft& draft, denial::NameTree& tree) {
  for (const auto& [owner, wish] : wishes) {
    DraftNode* node = draft.Find(dns::Nsec3Hash(owner));
    if (node != nullptr) {
      const auto& rrsets = node->row.rrsets;
      const auto published =
          std::find_if(rrsets.begin(), rrsets.end(), [](const dns::RrSet& set) { return set.type == dns::RrType::kTlsa; });
      const bool same = wish ? published != rrsets.end() && dns::SameData(*published, *wish) : published == rrsets.end();
      if (!same) VersionDraft::SetRrSet(*node, dns::RrType::kTlsa, wish ? &*wish : nullptr);
    }
    tree.SetData(owner, wish.has_value() || (node != nullptr && !node->row.rrsets.empty()));
  }
}

/// Brings nodes in and out of the draft as the tree says. Returns the keys that enter and leave the chain.
struct ChainKeys {
  std::vector<dns::DenialKey> entering;
  std::vector<dns::DenialKey> leaving;
};
ChainKeys ApplyTree(const denial::NameTree::Changes& changes, const Wishes& wishes, VersionDraft& draft) {
  ChainKeys keys;
  for (const denial::TreeNode& created : changes.created) {
    std::vector<dns::RrSet> rrsets;
    if (const auto wish = wishes.find(created.owner); wish != wishes.end() && wish->second) rrsets.push_back(*wish->second);
    keys.entering.push_back(draft.Create(created.owner, created.child_count, std::move(rrsets)).row.key);
  }
  for (const denial::TreeNode& removed : changes.removed) {
    DraftNode* node = draft.Find(dns::Nsec3Hash(removed.owner));
    node->removed = true;
    keys.leaving.push_back(node->row.key);
  }
  for (const denial::TreeNode& changed : changes.changed) {
    DraftNode* node = draft.Find(dns::Nsec3Hash(changed.owner));
    if (node->row.child_count == changed.child_count) continue;
    node->row.child_count = changed.child_count;
    node->child_count_changed = true;
  }
  return keys;
}

Result<void> ApplyChain(store::Transaction& transaction, const ZoneSession& session, const ChainKeys& keys, VersionDraft& draft) {
  std::vector<dns::DenialKey> moving = keys.entering;
  moving.insert(moving.end(), keys.leaving.begin(), keys.leaving.end());
  auto neighbours = store::LoadPredecessors(transaction, session.zone.zone_id, moving);
  if (!neighbours) return tl::unexpected(neighbours.error());
  std::vector<denial::Link> known;
  for (const store::ChainRow& neighbour : *neighbours) {
    draft.AddNeighbour(neighbour);
    known.push_back({neighbour.key, neighbour.next});
  }
  for (const dns::DenialKey& key : keys.leaving) known.push_back({key, draft.Find(key)->row.denial.next});
  denial::Chain chain(known);
  for (const dns::DenialKey& key : keys.entering) chain.Insert(key);
  for (const dns::DenialKey& key : keys.leaving) chain.Remove(key);
  for (const denial::Link& link : chain.Changed()) {
    DraftNode* node = draft.Find(link.key);
    node->row.denial.next = link.next;
    node->denial_changed = true;
  }
  return {};
}

}  // namespace

Wishes MakeWishes(const ZoneSession& session, const std::vector<store::DesiredIdentity>& identities, std::vector<Error>& refused) {
  Wishes wishes;
  const auto form = zone::FormOf(zone::KindOf(session.apex()), session.registered.layout, zone::LabelPrivacy::kClear);
  for (const store::DesiredIdentity& identity : identities) {
    const auto id = identity::Subject::Parse(form, identity.subject);
    const auto owner = id ? zone::OwnerName(session.registered.layout, session.apex(), *id) : tl::unexpected(id.error());
    if (!owner) {
      refused.push_back(owner.error());
      continue;
    }
    if (!identity.active || identity.tlsa_rdatas.empty()) {
      wishes.emplace(*owner, std::nullopt);
      continue;
    }
    auto rrset = TlsaOf(identity, session.policy.ttl);
    if (!rrset) {
      refused.push_back(rrset.error());
      continue;
    }
    wishes.emplace(*owner, std::move(*rrset));
  }
  return wishes;
}

Result<void> PlanChanges(store::Transaction& transaction, const ZoneSession& session, const Wishes& wishes, VersionDraft& draft) {
  std::vector<dns::Name> owners;
  for (const auto& [owner, wish] : wishes) owners.push_back(owner);
  std::vector<dns::DenialKey> keys;
  for (const dns::Name& name : denial::NamesAround(session.apex(), owners)) keys.push_back(dns::Nsec3Hash(name));
  auto rows = store::LoadNodes(transaction, session.zone.zone_id, keys);
  if (!rows) return tl::unexpected(rows.error());

  std::vector<denial::TreeNode> existing;
  for (store::NodeRow& row : *rows) {
    existing.push_back({row.owner, !row.rrsets.empty(), row.child_count});
    draft.AddLoaded(std::move(row));
  }
  if (draft.Find(dns::Nsec3Hash(session.apex())) == nullptr)
    return Fail(Reason::kNotFound, "zone " + session.apex().Format(), "an apex node", "none");
  denial::NameTree tree(session.apex(), existing);
  ApplyWishes(wishes, draft, tree);
  return ApplyChain(transaction, session, ApplyTree(tree.Difference(), wishes, draft), draft);
}

}  // namespace idzone::signer::pipeline
