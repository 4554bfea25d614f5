// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/change_plan.h"

#include <algorithm>
#include <array>
#include <map>

#include "services/core/base/limits.h"
#include "services/core/identity/subject.h"
#include "services/core/records/rdata_check.h"
#include "zone-signer/denial/chain.h"
#include "zone-signer/denial/name_tree.h"

namespace idzone::signer::pipeline {
namespace {

/// The types that identities and authorities are published as; all others are the zone's own.
constexpr std::array kIdentityTypes = {dns::RrType::kSshfp, dns::RrType::kTlsa, dns::RrType::kSmimea, dns::RrType::kOpenPgpKey};

/// Returns the RRsets of records, ascending by type.
Result<std::vector<dns::RrSet>> RrSetsOf(const std::vector<store::DesiredRecord>& records, const std::string& subject, dns::Ttl ttl) {
  std::map<dns::RrType, dns::RrSet> by_type;
  for (const store::DesiredRecord& record : records) {
    const auto type = dns::AllowedRrType(record.type);
    if (!type || std::find(kIdentityTypes.begin(), kIdentityTypes.end(), *type) == kIdentityTypes.end())
      return Fail(Reason::kRecordTypeForbidden, "identity " + subject, "SSHFP, TLSA, SMIMEA or OPENPGPKEY",
                  "type " + std::to_string(record.type));
    if (auto checked = records::CheckRdata(*type, record.rdata); !checked) return tl::unexpected(checked.error());
    dns::RrSet& rrset = by_type.try_emplace(*type, dns::RrSet{.type = *type, .ttl = ttl, .rdatas = {}, .rrsigs = {}}).first->second;
    rrset.rdatas.push_back(record.rdata);
  }
  std::vector<dns::RrSet> rrsets;
  for (auto& [type, rrset] : by_type) {
    dns::MakeCanonical(rrset);
    if (rrset.rdatas.size() > limits::kRdatasPerRrSetMax)
      return Fail(Reason::kLimitExceeded, "identity " + subject, "at most 8 records of a type", std::to_string(rrset.rdatas.size()));
    rrsets.push_back(std::move(rrset));
  }
  return rrsets;
}

Result<dns::Name> OwnerOf(const ZoneSession& session, const store::DesiredIdentity& identity) {
  const store::NamespaceRow& home = session.registered;
  if (home.wildcard_ca)
    return Fail(Reason::kNamespaceKindMismatch, "identity " + identity.subject, "a namespace of identities", "one of an authority alone");
  const auto form = zone::FormOf(zone::KindOf(home.apex), home.layout, home.labels);
  const auto subject = identity::Subject::Parse(form, identity.subject);
  if (!subject) return tl::unexpected(subject.error());
  return zone::OwnerName(home.layout, home.apex, *subject, identity.label);
}

const dns::RrSet* FindType(const std::vector<dns::RrSet>& rrsets, dns::RrType type) {
  const auto found = std::find_if(rrsets.begin(), rrsets.end(), [&](const dns::RrSet& rrset) { return rrset.type == type; });
  return found == rrsets.end() ? nullptr : &*found;
}

/// Makes a published node say what is wished, leaving alone what it says already and the zone's own types.
void ApplyWish(DraftNode& node, const std::vector<dns::RrSet>& wish) {
  for (const dns::RrType type : kIdentityTypes) {
    const dns::RrSet* wished = FindType(wish, type);
    const dns::RrSet* published = FindType(node.row.rrsets, type);
    const bool same = wished != nullptr ? published != nullptr && dns::SameData(*published, *wished) : published == nullptr;
    if (!same) VersionDraft::SetRrSet(node, type, wished);
  }
}

/// Applies the wishes to the nodes that exist, and to the tree of names.
void ApplyWishes(const ZoneSession& session, const Wishes& wishes, VersionDraft& draft, denial::NameTree& tree) {
  for (const auto& [owner, wish] : wishes) {
    DraftNode* node = draft.Find(session.KeyOf(owner));
    if (node != nullptr) ApplyWish(*node, wish);
    tree.SetData(owner, !wish.empty() || (node != nullptr && !node->row.rrsets.empty()));
  }
}

/// Brings nodes in and out of the draft as the tree says. Returns the keys that enter and leave the chain.
struct ChainKeys {
  std::vector<dns::DenialKey> entering;
  std::vector<dns::DenialKey> leaving;
};
ChainKeys ApplyTree(const ZoneSession& session, const denial::NameTree::Changes& changes, const Wishes& wishes, VersionDraft& draft) {
  ChainKeys keys;
  for (const denial::TreeNode& created : changes.created) {
    std::vector<dns::RrSet> rrsets;
    if (const auto wish = wishes.find(created.owner); wish != wishes.end()) rrsets = wish->second;
    keys.entering.push_back(draft.Create(session.KeyOf(created.owner), created.owner, created.child_count, std::move(rrsets)).row.key);
  }
  for (const denial::TreeNode& removed : changes.removed) {
    DraftNode* node = draft.Find(session.KeyOf(removed.owner));
    node->removed = true;
    keys.leaving.push_back(node->row.key);
  }
  for (const denial::TreeNode& changed : changes.changed) {
    DraftNode* node = draft.Find(session.KeyOf(changed.owner));
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
  const auto know = [&](const dns::DenialKey& key, const Octets& next) -> Result<void> {
    auto next_key = dns::KeyOfDenialNext(session.denial(), next, session.apex());
    if (!next_key) return tl::unexpected(next_key.error());
    known.push_back({key, *std::move(next_key)});
    return {};
  };
  for (const store::ChainRow& neighbour : *neighbours) {
    draft.AddNeighbour(neighbour);
    if (auto added = know(neighbour.key, neighbour.next); !added) return added;
  }
  for (const dns::DenialKey& key : keys.leaving) {
    if (auto added = know(key, draft.Find(key)->row.denial.next); !added) return added;
  }
  denial::Chain chain(known);
  for (const dns::DenialKey& key : keys.entering) chain.Insert(key);
  for (const dns::DenialKey& key : keys.leaving) chain.Remove(key);
  for (const denial::Link& link : chain.Changed()) {
    DraftNode* node = draft.Find(link.key);
    node->row.denial.next = dns::DenialNextOf(session.denial(), link.next, session.apex());
    node->denial_changed = true;
  }
  return {};
}

}  // namespace

Wishes MakeWishes(const ZoneSession& session, const std::vector<store::DesiredIdentity>& identities, std::vector<Error>& refused) {
  Wishes wishes;
  for (const store::DesiredIdentity& identity : identities) {
    auto owner = OwnerOf(session, identity);
    if (!owner) {
      refused.push_back(owner.error());
      continue;
    }
    auto rrsets = identity.active ? RrSetsOf(identity.records, identity.subject, session.policy.ttl) : std::vector<dns::RrSet>();
    if (!rrsets) {
      refused.push_back(rrsets.error());
      continue;
    }
    wishes.emplace(std::move(*owner), std::move(*rrsets));
  }
  return wishes;
}

void AddAuthorityWish(const ZoneSession& session, const std::optional<Octets>& rdata, Wishes& wishes, std::vector<Error>& refused) {
  std::vector<store::DesiredRecord> records;
  if (rdata) records.push_back({static_cast<std::uint16_t>(dns::RrType::kTlsa), *rdata});
  auto rrsets = RrSetsOf(records, "authority of " + session.apex().Format(), session.policy.ttl);
  const auto owner = session.registered.wildcard_ca ? session.apex().Prepend("*") : Result<dns::Name>(session.apex());
  if (!rrsets) {
    refused.push_back(rrsets.error());
  } else if (!owner) {
    refused.push_back(owner.error());
  } else {
    wishes.insert_or_assign(*owner, std::move(*rrsets));
  }
}

Result<void> PlanChanges(store::Transaction& transaction, const ZoneSession& session, const Wishes& wishes, VersionDraft& draft) {
  std::vector<dns::Name> owners;
  for (const auto& [owner, wish] : wishes) owners.push_back(owner);
  std::vector<dns::DenialKey> keys;
  for (const dns::Name& name : denial::NamesAround(session.denial(), session.apex(), owners)) keys.push_back(session.KeyOf(name));
  auto rows = store::LoadNodes(transaction, session.zone.zone_id, keys);
  if (!rows) return tl::unexpected(rows.error());

  std::vector<denial::TreeNode> existing;
  for (store::NodeRow& row : *rows) {
    existing.push_back({row.owner, !row.rrsets.empty(), row.child_count});
    draft.AddLoaded(std::move(row));
  }
  if (draft.Find(session.KeyOf(session.apex())) == nullptr)
    return Fail(Reason::kNotFound, "zone " + session.apex().Format(), "an apex node", "none");
  denial::NameTree tree(session.denial(), session.apex(), existing);
  ApplyWishes(session, wishes, draft, tree);
  return ApplyChain(transaction, session, ApplyTree(session, tree.Difference(), wishes, draft), draft);
}

}  // namespace idzone::signer::pipeline
