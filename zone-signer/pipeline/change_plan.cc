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

Result<dns::Name> OwnerOf(const store::NamespaceRow& home, const store::DesiredIdentity& identity) {
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
void ApplyWishes(ZoneSession& zone, const Wishes& wishes, denial::NameTree& tree) {
  for (const auto& [owner, wish] : wishes) {
    DraftNode* node = zone.draft.Find(zone.KeyOf(owner));
    if (node != nullptr) ApplyWish(*node, wish);
    tree.SetData(owner, !wish.empty() || (node != nullptr && !node->row.rrsets.empty()));
  }
}

/// Brings nodes in and out of the draft as the tree says. Returns the keys that enter and leave the chain.
struct ChainKeys {
  std::vector<dns::DenialKey> entering;
  std::vector<dns::DenialKey> leaving;
};
ChainKeys ApplyTree(ZoneSession& zone, const denial::NameTree::Changes& changes, const Wishes& wishes) {
  ChainKeys keys;
  VersionDraft& draft = zone.draft;
  for (const denial::TreeNode& created : changes.created) {
    std::vector<dns::RrSet> rrsets;
    if (const auto wish = wishes.find(created.owner); wish != wishes.end()) rrsets = wish->second;
    const dns::DenialKey key = zone.KeyOf(created.owner);
    keys.entering.push_back(draft.Create(zone.zone.zone_id, key, created.owner, created.child_count, std::move(rrsets)).row.key);
  }
  for (const denial::TreeNode& removed : changes.removed) {
    DraftNode* node = draft.Find(zone.KeyOf(removed.owner));
    node->removed = true;
    keys.leaving.push_back(node->row.key);
  }
  for (const denial::TreeNode& changed : changes.changed) {
    DraftNode* node = draft.Find(zone.KeyOf(changed.owner));
    if (node->row.child_count == changed.child_count) continue;
    node->row.child_count = changed.child_count;
    node->child_count_changed = true;
  }
  return keys;
}

Result<void> ApplyChain(ZoneSession& zone, const ChainKeys& keys, const std::map<dns::DenialKey, store::ChainRow>& neighbours) {
  std::vector<denial::Link> known;
  const auto know = [&](const dns::DenialKey& key, const Octets& next) -> Result<void> {
    auto next_key = dns::KeyOfDenialNext(zone.denial(), next, zone.apex());
    if (!next_key) return tl::unexpected(next_key.error());
    known.push_back({key, *std::move(next_key)});
    return {};
  };
  for (const auto& [neighbour_key, neighbour] : neighbours) {
    zone.draft.AddNeighbour(neighbour);
    if (auto added = know(neighbour.key, neighbour.next); !added) return added;
  }
  for (const dns::DenialKey& key : keys.leaving) {
    if (auto added = know(key, zone.draft.Find(key)->row.denial.next); !added) return added;
  }
  denial::Chain chain(known);
  for (const dns::DenialKey& key : keys.entering) chain.Insert(key);
  for (const dns::DenialKey& key : keys.leaving) chain.Remove(key);
  for (const denial::Link& link : chain.Changed()) {
    DraftNode* node = zone.draft.Find(link.key);
    node->row.denial.next = dns::DenialNextOf(zone.denial(), link.next, zone.apex());
    node->denial_changed = true;
  }
  return {};
}

/// The known links of the zones' chains, in order and each once.
using ChainRows = std::map<std::int32_t, std::map<dns::DenialKey, store::ChainRow>>;

void AddLinks(std::vector<store::ChainRow> links, ChainRows& rows) {
  for (store::ChainRow& link : links) {
    const dns::DenialKey key = link.key;
    rows[link.zone_id].emplace(key, std::move(link));
  }
}

/// Puts the denial chains of all zones in order. What stands before the names that come is known; before those that leave, one
/// statement finds it.
Result<void> ApplyChains(store::Transaction& transaction, OpenZones& zones, const std::map<std::int32_t, ChainKeys>& keys,
                         ChainRows known) {
  std::vector<store::NodePlace> leaving;
  for (const auto& [zone_id, moved] : keys) {
    for (const dns::DenialKey& key : moved.leaving) leaving.push_back({zone_id, key});
  }
  auto loaded = store::LoadPredecessors(transaction, leaving);
  if (!loaded) return tl::unexpected(loaded.error());
  AddLinks(std::move(*loaded), known);
  for (const auto& [zone_id, moved] : keys) {
    if (auto applied = ApplyChain(*zones.Find(zone_id), moved, known[zone_id]); !applied) return applied;
  }
  return {};
}

/// Loads what decides what happens when the wishes come true. Returns what stands before the names that do not exist yet.
Result<ChainRows> LoadAround(store::Transaction& transaction, OpenZones& zones, const WishesByZone& wishes) {
  std::vector<store::NodePlace> places;
  for (const auto& [zone_id, wished] : wishes) {
    const ZoneSession& zone = *zones.Find(zone_id);
    std::vector<dns::Name> owners;
    for (const auto& [owner, wish] : wished) owners.push_back(owner);
    for (const dns::Name& name : denial::NamesAround(zone.denial(), zone.apex(), owners)) places.push_back({zone_id, zone.KeyOf(name)});
  }
  auto found = store::LoadSurroundings(transaction, places);
  if (!found) return tl::unexpected(found.error());
  AddToDrafts(zones, std::move(found->nodes));
  ChainRows before;
  AddLinks(std::move(found->before), before);
  return before;
}

}  // namespace

RegistryWishes MakeWishes(const NamespaceSession& home, const std::vector<store::DesiredIdentity>& identities,
                          std::vector<Error>& refused) {
  RegistryWishes made;
  for (const store::DesiredIdentity& identity : identities) {
    auto owner = OwnerOf(home.registered, identity);
    if (!owner) {
      refused.push_back(owner.error());
      continue;
    }
    auto rrsets = identity.active ? RrSetsOf(identity.records, identity.subject, home.policy.ttl) : std::vector<dns::RrSet>();
    if (!rrsets) {
      refused.push_back(rrsets.error());
      continue;
    }
    made.batches[*owner] = identity.batch_ids;
    made.wishes.emplace(std::move(*owner), std::move(*rrsets));
  }
  return made;
}

void AddAuthorityWish(const NamespaceSession& home, const std::optional<Octets>& rdata, Wishes& wishes, std::vector<Error>& refused) {
  std::vector<store::DesiredRecord> records;
  if (rdata) records.push_back({static_cast<std::uint16_t>(dns::RrType::kTlsa), *rdata});
  auto rrsets = RrSetsOf(records, "authority of " + home.apex().Format(), home.policy.ttl);
  const auto owner = home.registered.wildcard_ca ? home.apex().Prepend("*") : Result<dns::Name>(home.apex());
  if (!rrsets) {
    refused.push_back(rrsets.error());
  } else if (!owner) {
    refused.push_back(owner.error());
  } else {
    wishes.insert_or_assign(*owner, std::move(*rrsets));
  }
}

Result<void> PlanChanges(store::Transaction& transaction, OpenZones& zones, const WishesByZone& wishes) {
  auto known = LoadAround(transaction, zones, wishes);
  if (!known) return tl::unexpected(known.error());
  std::map<std::int32_t, ChainKeys> moving;
  for (const auto& [zone_id, wished] : wishes) {
    ZoneSession& zone = *zones.Find(zone_id);
    std::vector<denial::TreeNode> existing;
    for (const auto& [key, node] : zone.draft.nodes()) existing.push_back({node.row.owner, !node.row.rrsets.empty(), node.row.child_count});
    if (zone.draft.Find(zone.KeyOf(zone.apex())) == nullptr)
      return Fail(Reason::kNotFound, "zone " + zone.apex().Format(), "an apex node", "none");
    denial::NameTree tree(zone.denial(), zone.apex(), existing);
    ApplyWishes(zone, wished, tree);
    ChainKeys keys = ApplyTree(zone, tree.Difference(), wished);
    if (!keys.entering.empty() || !keys.leaving.empty()) moving.emplace(zone_id, std::move(keys));
  }
  return ApplyChains(transaction, zones, moving, std::move(*known));
}

}  // namespace idzone::signer::pipeline
