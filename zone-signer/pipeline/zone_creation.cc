// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/zone_creation.h"

#include <algorithm>

#include "services/core/zone/cut.h"
#include "services/process/log.h"
#include "zone-signer/pipeline/apex.h"
#include "zone-signer/pipeline/own_keys.h"
#include "zone-signer/pipeline/routing.h"

namespace idzone::signer::pipeline {
namespace {

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

/// Writes the first keys of a set, and returns them open.
std::shared_ptr<const OpenKeyset> KeepKeys(store::Transaction& transaction, const store::KeysetId& id, const zone::ZonePolicy& policy,
                                           const FirstKeys& first, UnixTime now) {
  InsertFirstKeys(transaction, id, policy, first, now);
  return std::make_shared<const OpenKeyset>(first.keys, store::KeysetRow());
}

/// Opens a zone that was just inserted, with an apex alone in its draft. `own`: its keys, unless they are shared.
void OpenNew(OpenZones& zones, store::ZoneRow row, std::shared_ptr<const OpenKeyset> own) {
  row.node_count = 0;  // PublishVersions counts the apex
  ZoneSession& zone = zones.Open(std::move(row));
  if (own != nullptr) zone.keyset = std::move(own);
  const NamespaceSession& home = zone.home;
  zone.is_first = true;
  zone.apex_due = home.now + home.policy.apex.resign;
  const dns::Name& name = zone.apex();
  DraftNode& apex = zone.draft.Create(zone.zone.zone_id, zone.KeyOf(name), name, 0, ApexOf(zone, zone.zone.position.serial));
  apex.row.denial.next = dns::DenialNextOf(zone.denial(), apex.row.key, name);  // alone in the chain
  if (zone.keyset->row.settled) return;
  // All that there is in it will have been signed by the keys of now: a roll under way need not wait for the zone's first renewal.
  store::ZoneKeysRow& followed = zone.followed.emplace();
  followed.zone_id = zone.zone.zone_id;
  followed.sweep_revision = followed.swept_revision = zone.keyset->row.data_revision;
}

/// A signer that can open none of the keys that were made last has other keys, or another key-encryption key, than those that made them:
/// what it made, nobody else could sign with. A few are asked, because a single one may be damaged. They may be another operator's, who is
/// not to be named to this one: the log has which.
Result<void> CheckKeysAreOurs(store::Transaction& transaction, keys::KeyStore& keys) {
  constexpr std::int64_t kAsked = 4;
  std::optional<Error> first;
  for (const Octets& id : store::ListKeysInUse(transaction, kAsked)) {
    const auto opened = keys.Load(id);
    if (opened) return {};
    if (!first) first = opened.error();
  }
  if (!first) return {};
  process::LogError(process::LogLevel::kError, "signer.keys_not_opened", *first);
  return Fail(first->reason, "keys", "the keys that were made last (keys.directory, keys.kek_file, pkcs11.*: as their signer's)",
              "a signer that can open none of them");
}

/// Returns the next cuts that are to be made.
Result<std::vector<dns::Name>> NextCuts(store::Transaction& transaction, const NamespaceSession& home, std::int32_t wanted) {
  const std::int32_t made = home.own_zone.cuts_made;
  const store::NamespaceRow& registered = home.registered;
  // A cut of an enum namespace may lie below the one before, whose zone must exist then.
  if (!registered.has_cuts) return store::LoadWantedCuts(transaction, registered.namespace_id, made, 1);
  std::vector<dns::Name> names;
  const std::int64_t most = home.shared == nullptr ? kKeyedCutsPerTransaction : kCutsPerTransaction;
  for (std::int32_t number = made; number < wanted && number < made + most; ++number) {
    auto name = zone::TreeCut(registered.layout, home.apex(), static_cast<std::uint32_t>(number));
    if (!name) return tl::unexpected(name.error());
    names.push_back(*std::move(name));
  }
  return names;
}

/// The first keys of each of those zones.
Result<std::map<dns::Name, FirstKeys>> MakeFirstKeysOf(const std::vector<dns::Name>& names, const NamespaceSession& home,
                                                       keys::MadeKeys& made) {
  std::map<dns::Name, FirstKeys> all;
  for (const dns::Name& name : names) {
    auto first = MakeFirstKeys(home.registered, home.policy, made);
    if (!first) return tl::unexpected(first.error());
    all.emplace(name, *std::move(first));
  }
  return all;
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
  const zone::ZonePolicy& policy = registered.policy;
  if (auto ours = CheckKeysAreOurs(transaction, tools.keys); !ours) return tl::unexpected(ours.error());
  keys::MadeKeys made(tools.keys);
  const auto first = MakeFirstKeys(registered, policy, made);
  if (!first) return tl::unexpected(first.error());
  store::ZoneRow zone = NewZone(registered.apex, std::nullopt, policy, tools.now);
  store::InsertZones(transaction, registered, {&zone});
  const bool own = policy.keys.scope == zone::KeyScope::kZone;
  const auto keyset = KeepKeys(transaction, {registered.namespace_id, own ? zone.zone_id : 0}, policy, *first, tools.now);
  const auto home = OpenNamespaceSession(transaction, registered, policy, zone, tools.keys, tools.now);
  if (!home) return tl::unexpected(home.error());
  OpenZones zones(*home);
  OpenNew(zones, zone, own ? keyset : nullptr);
  auto published = PublishVersions(transaction, zones, tools.signer, tools.batch_max);
  if (!published) return tl::unexpected(published.error());
  made.Keep();
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

  keys::MadeKeys made(tools.keys);
  std::map<dns::Name, FirstKeys> first;
  if ((*home)->shared == nullptr) {
    auto all = MakeFirstKeysOf(*names, **home, made);
    if (!all) return tl::unexpected(all.error());
    first = *std::move(all);
  }
  Wishes wishes;
  for (const dns::Name& name : *names) {
    const keys::ZoneKeys& keys = (*home)->shared == nullptr ? first.at(name).keys : (*home)->shared->keys;
    wishes.emplace(name, DesiredDelegation(name, (*home)->registered, (*home)->policy, keys));
  }
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
  for (store::ZoneRow& row : rows) {
    const store::KeysetId id{work.registered.namespace_id, row.zone_id};
    auto own = (*home)->shared == nullptr ? KeepKeys(transaction, id, (*home)->policy, first.at(row.name), tools.now) : nullptr;
    OpenNew(zones, std::move(row), std::move(own));
  }
  auto published = PublishVersions(transaction, zones, tools.signer, tools.batch_max);
  if (!published) return tl::unexpected(published.error());
  made.Keep();
  outcome.publication = *published;
  return outcome;
}

}  // namespace idzone::signer::pipeline
