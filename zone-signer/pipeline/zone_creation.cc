// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/zone_creation.h"

#include <algorithm>

#include "services/core/zone/cut.h"
#include "zone-signer/pipeline/apex.h"
#include "zone-signer/pipeline/routing.h"

namespace idzone::signer::pipeline {
namespace {

/// Makes the first key of a namespace, if it has none, and its keyset.
Result<void> MakeFirstKey(store::Transaction& transaction, const store::NamespaceRow& registered, const zone::ZonePolicy& policy,
                          keys::KeyStore& keys) {
  const auto known = store::LoadKeys(transaction, registered.namespace_id);
  if (!known) return tl::unexpected(known.error());
  if (!known->empty()) return {};
  // The file first: a key in the database without its file could never sign, a file without its row does no harm.
  auto key = keys.Create(registered.algorithm);
  if (!key) return tl::unexpected(key.error());
  constexpr auto kRole = zone::KeyRole::kCsk;
  store::InsertKey(transaction, registered.namespace_id,
                   {.key_id = key->id(),
                    .key_tag = key->key_tag(),
                    .dnskey = key->dnskey(),
                    .role = kRole,
                    .state = zone::KeyState::kActive,
                    .uses = zone::AllUses(kRole),
                    .part = 0});
  store::InsertKeyset(transaction, registered.namespace_id, LongestTtlsOf(policy));
  return {};
}

store::ZoneRow NewZone(const dns::Name& name, std::optional<std::int32_t> parent_id, const zone::ZonePolicy& policy, UnixTime now) {
  store::ZoneRow zone;
  zone.name = name;
  zone.parent_id = parent_id;
  zone.position = {.epoch = 1, .serial = 1, .digest = Octets(32, '\0')};
  zone.node_count = 1;
  zone.resign_round = zone.last_signed_at = zone.renew_at = now;
  // Whatever the sweep meets first was signed after this.
  zone.expires_ahead = now + std::min(policy.identity.life, policy.denial.life);
  return zone;
}

/// Opens a zone that was just inserted, with an apex alone in its draft.
void OpenNew(OpenZones& zones, store::ZoneRow row) {
  row.node_count = 0;  // PublishVersions counts the apex
  ZoneSession& zone = zones.Open(std::move(row));
  const NamespaceSession& home = zone.home;
  zone.is_first = true;
  zone.apex_due = home.now + home.policy.apex.resign;
  const dns::Name& name = zone.apex();
  DraftNode& apex = zone.draft.Create(zone.zone.zone_id, zone.KeyOf(name), name, 0, ApexOf(zone, zone.zone.position.serial));
  apex.row.denial.next = dns::DenialNextOf(zone.denial(), apex.row.key, name);  // alone in the chain
  if (home.keyset.settled) return;
  // All that there is in it will have been signed by the keys of now: a roll under way need not wait for the zone's first renewal.
  store::ZoneKeysRow& followed = zone.followed.emplace();
  followed.zone_id = zone.zone.zone_id;
  followed.sweep_revision = followed.swept_revision = home.keyset.data_revision;
}

/// Returns the next cuts that are to be made.
Result<std::vector<dns::Name>> NextCuts(store::Transaction& transaction, const NamespaceSession& home, std::int32_t wanted) {
  const std::int32_t made = home.own_zone.cuts_made;
  const store::NamespaceRow& registered = home.registered;
  // A cut of an enum namespace may lie below the one before, whose zone must exist then.
  if (!registered.has_cuts) return store::LoadWantedCuts(transaction, registered.namespace_id, made, 1);
  std::vector<dns::Name> names;
  for (std::int32_t number = made; number < wanted && number < made + kCutsPerTransaction; ++number) {
    auto name = zone::TreeCut(registered.layout, home.apex(), static_cast<std::uint32_t>(number));
    if (!name) return tl::unexpected(name.error());
    names.push_back(*std::move(name));
  }
  return names;
}

/// Refuses a delegation at a name that exists, or has names below it, in the zone that is to be cut.
Result<void> CheckFree(ZoneSession& parent, const Wishes& delegations) {
  for (const auto& [name, wish] : delegations) {
    const DraftNode* node = parent.draft.Find(parent.KeyOf(name));
    if (node != nullptr && !node->created)
      return Fail(Reason::kAlreadyExists, "cut " + name.Format(), "no names at or below it in " + parent.apex().Format(), "some");
  }
  return {};
}

}  // namespace

Result<WorkOutcome> CreateZone(store::Transaction& transaction, const store::ZoneWork& work, const WorkTools& tools) {
  WorkOutcome outcome;
  const store::NamespaceRow& registered = work.registered;
  outcome.busy = !store::TryLockZoneCreation(transaction, registered);
  if (outcome.busy) return outcome;
  if (auto made = MakeFirstKey(transaction, registered, registered.policy, tools.keys); !made) return tl::unexpected(made.error());
  store::ZoneRow zone = NewZone(registered.apex, std::nullopt, registered.policy, tools.now);
  store::InsertZones(transaction, registered, {&zone});
  const auto home = OpenNamespaceSession(transaction, registered, registered.policy, zone, tools.keys, tools.now);
  if (!home) return tl::unexpected(home.error());
  OpenZones zones(*home);
  OpenNew(zones, zone);
  auto published = PublishVersions(transaction, zones, tools.signer, tools.batch_max);
  if (!published) return tl::unexpected(published.error());
  outcome.publication = *published;
  outcome.position = zones.Find(zone.zone_id)->zone.position;
  return outcome;
}

Result<WorkOutcome> MakeCuts(store::Transaction& transaction, const store::ZoneWork& work, const WorkTools& tools) {
  WorkOutcome outcome;
  const auto home = BeginNamespaceSession(transaction, work, tools.keys, tools.now);
  if (!home) return tl::unexpected(home.error());
  outcome.busy = !*home;
  if (outcome.busy) return outcome;
  const auto names = NextCuts(transaction, **home, work.cuts_wanted);
  if (!names) return tl::unexpected(names.error());
  if (names->empty()) return outcome;

  Wishes wishes;
  for (const dns::Name& name : *names) wishes.emplace(name, DesiredDelegation(name, (*home)->registered, (*home)->policy, (*home)->keys));
  OpenZones zones(**home);
  const auto delegations = RouteWishes(transaction, zones, std::move(wishes));
  if (!delegations) return tl::unexpected(delegations.error());
  if (auto planned = PlanChanges(transaction, zones, *delegations); !planned) return tl::unexpected(planned.error());
  std::vector<store::ZoneRow> rows;
  for (const auto& [parent_id, wished] : *delegations) {
    if (auto free = CheckFree(*zones.Find(parent_id), wished); !free) return tl::unexpected(free.error());
    for (const auto& [name, wish] : wished) rows.push_back(NewZone(name, parent_id, (*home)->policy, tools.now));
  }
  std::vector<store::ZoneRow*> inserted;
  for (store::ZoneRow& row : rows) inserted.push_back(&row);
  store::InsertZones(transaction, (*home)->registered, inserted);
  // The own zone counts its cuts, whichever zone is their parent.
  ZoneSession& own_zone = zones.Open((*home)->own_zone);
  own_zone.zone.cuts_made += static_cast<std::int32_t>(names->size());
  own_zone.row_moved = true;
  outcome.more = own_zone.zone.cuts_made < work.cuts_wanted;
  if (auto apexes = DraftApexes(transaction, zones); !apexes) return tl::unexpected(apexes.error());
  for (store::ZoneRow& row : rows) OpenNew(zones, std::move(row));
  auto published = PublishVersions(transaction, zones, tools.signer, tools.batch_max);
  if (!published) return tl::unexpected(published.error());
  outcome.publication = *published;
  return outcome;
}

}  // namespace idzone::signer::pipeline
