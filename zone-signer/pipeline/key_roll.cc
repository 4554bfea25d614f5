// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/key_roll.h"

#include <algorithm>
#include <set>

#include "zone-signer/pipeline/zone_session.h"

namespace idzone::signer::pipeline {
namespace {

using rollover::Action;

rollover::Roll ToRoll(const store::RollRow& row) {
  return {.style = static_cast<rollover::Style>(row.style),
          .algorithm = row.algorithm,
          .roles = row.roles,
          .urgent = row.urgent,
          .emergency_follows = row.emergency_follows,
          .phase = static_cast<rollover::Phase>(row.phase),
          .began = row.began,
          .phase_began = row.phase_began,
          .published_at = row.published_at,
          .resigned_at = row.resigned_at,
          .delegated_at = row.delegated_at};
}

store::RollRow ToRow(const rollover::Roll& roll) {
  return {.style = static_cast<std::uint8_t>(roll.style),
          .algorithm = roll.algorithm,
          .roles = roll.roles,
          .urgent = roll.urgent,
          .emergency_follows = roll.emergency_follows,
          .phase = static_cast<std::uint8_t>(roll.phase),
          .began = roll.began,
          .phase_began = roll.phase_began,
          .published_at = roll.published_at,
          .resigned_at = roll.resigned_at,
          .delegated_at = roll.delegated_at};
}

/// Whose keys they are.
struct KeysetHome {
  store::KeysetId id;
  dns::Name zone;         // the topmost that they sign
  bool is_below = false;  // its parent is a zone of ours
};

rollover::Delays DelaysOf(const RollOptions& options, const zone::ZonePolicy& policy, bool is_below) {
  const auto dprp = options.propagation.count() >= 0 ? options.propagation : policy.soa_refresh + policy.soa_retry;
  return {dprp, is_below ? dprp : options.parent_propagation};
}

/// The keyset inside one transaction.
class RollSession {
 public:
  RollSession(store::Transaction& transaction, KeysetHome home, const RollTools& tools, const zone::ZonePolicy& policy,
              store::RollingKeysetRow keyset, std::vector<store::KeyRow> keys)
      : transaction_(transaction),
        home_(std::move(home)),
        tools_(tools),
        policy_(policy),
        delays_(DelaysOf(tools.options, policy, home_.is_below)),
        keyset_(std::move(keyset)),
        before_(keyset_),
        keys_(std::move(keys)) {
    for (const store::KeyRow& key : keys_) {
      if (key.state != zone::KeyState::kRemoved) state_.keys.push_back(ToRolled(key));
    }
    if (keyset_.roll) state_.roll = ToRoll(*keyset_.roll);
    state_.ttls = {std::chrono::seconds(keyset_.ttls.keys), std::chrono::seconds(keyset_.ttls.data), std::chrono::seconds(keyset_.ttls.ds)};
    state_.revision = keyset_.revision;
    state_.data_revision = keyset_.data_revision;
    schedule_ = {keyset_.schedule.keys_at, keyset_.schedule.zsk_at};
  }

  /// Commands first; what they change has to be seen by the world before anything else is decided.
  RollOutcome Run() {
    for (const store::KeyCommand& command : store::TakeKeyCommands(transaction_, home_.id)) Obey(command);
    if (!changed_) BeginWhatIsDue();
    const bool begun = changed_;
    if (!begun) Observe();
    MakeKeys();
    Save();
    outcome_.roll = state_.roll;
    made_.Keep();
    return std::move(outcome_);
  }

 private:
  bool Apply(const rollover::Event& event) {
    auto step = rollover::Apply(state_, event, delays_, tools_.now);
    if (!step) {
      Refuse(step.error());
      return false;
    }
    changed_ = changed_ || step->state != state_;
    if (state_.roll && !step->state.roll)
      schedule_ = rollover::ScheduleFrom(step->state.keys, LivesOf(policy_), tools_.now, schedule_, state_.roll->style);
    state_ = std::move(step->state);
    for (const Action action : step->actions) {
      if (action == Action::kMakeKeys) {
        must_make_keys_ = true;
      } else {
        outcome_.actions.push_back(action);
      }
    }
    return true;
  }

  void Obey(const store::KeyCommand& command) {
    const bool done = command.begins_roll ? Apply(rollover::Begin{.style = static_cast<rollover::Style>(command.style),
                                                                  .algorithm = command.algorithm,
                                                                  .roles = command.roles,
                                                                  .urgent = command.urgent})
                                          : Apply(rollover::ParentConfirmed{});
    if (done) keyset_.refused.clear();
  }

  /// What cannot begin, because the zones have still to settle or for any other reason, is tried again in each step.
  void BeginWhatIsDue() {
    const auto due = rollover::DueRoll(state_, schedule_, tools_.now);
    if (due && Apply(*due)) outcome_.scheduled = true;
  }

  void Observe() {
    const auto sight = store::SeeKeyset(transaction_, home_.id, tools_.now - policy_.apex.life);
    if (sight.published && sight.resigned) keyset_.settled_revision = state_.revision;
    const store::LongestTtlRow ttls = LongestTtlsOf(policy_);
    rollover::Observed observed{.published = sight.published,
                                .resigned = sight.resigned,
                                .parent = {},
                                .ttls = {std::chrono::seconds(ttls.keys), std::chrono::seconds(ttls.data), {}}};
    if (home_.is_below) {
      observed.ttls.ds = std::chrono::seconds(policy_.apex_ttl);
      if (sight.published && rollover::AwaitsParent(state_)) observed.parent = ParentOfOurs();
    } else if (state_.roll && std::any_of(state_.roll->roles.begin(), state_.roll->roles.end(), zone::SignsKeys)) {
      // From the roll's beginning: a TTL that the parent lowers before it changes its DS records is in caches still. What a parent that
      // cannot be asked keeps there is not known: it is taken to be long.
      observed.ttls.ds = tools_.options.unseen_ds_ttl;
      LookAtParent(observed);
    }
    Apply(observed);
  }

  /// Its DS records were written with the zone's version (own_keys.h), and every edge has both.
  rollover::ParentView ParentOfOurs() const {
    rollover::ParentView view;
    for (const rollover::RolledKey& key : state_.keys) {
      if (key.uses.in_ds) view.key_ids.push_back(key.id);
    }
    return view;
  }

  void LookAtParent(rollover::Observed& observed) {
    if (!tools_.parent) return;
    keyset_.parent_asked_at = tools_.parent->asked_at;
    keyset_.parent_answer = tools_.parent->problem;
    if (!tools_.parent->problem.empty()) return;
    observed.ttls.ds = tools_.parent->ttl;
    const rollover::ParentView view = MatchParent(home_.zone, keys_, tools_.parent->ds);
    if (rollover::AwaitsParent(state_)) observed.parent = view;
    keyset_.parent_answer = "DS of";
    for (const store::KeyRow& key : keys_) {
      const auto& seen = view.key_ids;
      if (std::find(seen.begin(), seen.end(), key.key_id) != seen.end()) keyset_.parent_answer += " " + std::to_string(key.key_tag);
      const auto& others = view.other_digest_ids;
      if (std::find(others.begin(), others.end(), key.key_id) != others.end())
        keyset_.parent_answer += " " + std::to_string(key.key_tag) + " (other digest)";
    }
    const std::size_t ours = view.key_ids.size() + view.other_digest_ids.size();
    if (ours < tools_.parent->ds.size())
      keyset_.parent_answer += ", and " + std::to_string(tools_.parent->ds.size() - ours) + " of no key of ours";
  }

  /// Each key is on disk, or in its token, before its row exists. When that fails the roll waits, and says so. So does it when this signer
  /// has not the keys of now: a key beside them that it made with others, no signer could sign with.
  void MakeKeys() {
    if (!must_make_keys_ || !state_.roll) return;
    for (const store::KeyRow& key : keys_) {
      if (!key.uses.any()) continue;
      if (const auto opened = tools_.keys.Load(key.key_id); !opened) return Wait(opened.error());
    }
    std::set<std::uint16_t> tags;
    for (const store::KeyRow& key : keys_) tags.insert(key.key_tag);
    std::vector<store::KeyRow> rows;
    for (const zone::KeyRole role : state_.roll->roles) {
      auto key = made_.Create(state_.roll->algorithm, zone::DnskeyFlags(role), tags);
      if (!key) {
        made_.Discard();
        return Wait(key.error());
      }
      const keys::ZoneKey zone_key = keys::MakeZoneKey(std::move(*key), role, {});
      tags.insert(zone_key.key_tag);
      rows.push_back({.key_id = zone_key.key.id(),
                      .key_tag = zone_key.key_tag,
                      .dnskey = zone_key.dnskey,
                      .role = role,
                      .state = zone::KeyState::kGenerated,
                      .uses = {},
                      .part = static_cast<std::uint8_t>(rollover::Part::kComing)});
    }
    for (store::KeyRow& row : rows) {
      store::InsertKey(transaction_, home_.id, row);
      keys_.push_back(std::move(row));
    }
    keyset_.refused.clear();
    Apply(rollover::KeysMade{made_.ids()});
  }

  void Refuse(const Error& error) {
    keyset_.refused = error.Detail();
    outcome_.refused.push_back(error);
  }

  /// What is tried again in each step is news only once.
  void Wait(const Error& error) {
    if (keyset_.refused != error.Detail()) Refuse(error);
  }

  void Save() {
    for (store::KeyRow& row : keys_) {
      const auto key = std::find_if(state_.keys.begin(), state_.keys.end(), [&](const auto& rolled) { return rolled.id == row.key_id; });
      if (key == state_.keys.end() || *key == ToRolled(row)) continue;
      row.state = key->state;
      row.uses = key->uses;
      row.part = static_cast<std::uint8_t>(key->part);
      store::UpdateKey(transaction_, row);
    }
    outcome_.waiting = rollover::WaitingFor(state_, delays_, tools_.now);
    keyset_.revision = state_.revision;
    keyset_.data_revision = state_.data_revision;
    keyset_.tell_parent = rollover::AwaitsParent(state_) && !home_.is_below;
    keyset_.ttls = {state_.ttls.keys.count(), state_.ttls.data.count(), state_.ttls.ds.count()};
    const bool hurries = state_.roll && state_.roll->urgent && !(before_.roll && before_.roll->urgent);
    if (hurries || state_.revision != before_.revision) store::MakeZonesDue(transaction_, home_.id, tools_.now);
    keyset_.roll = state_.roll ? std::optional(ToRow(*state_.roll)) : std::nullopt;
    keyset_.schedule = {schedule_.keys_at, schedule_.zsk_at};
    keyset_.waits_for = static_cast<std::uint8_t>(outcome_.waiting.what);
    keyset_.waits_until = outcome_.waiting.until;
    if (keyset_ != before_) store::SaveKeyset(transaction_, home_.id, keyset_);
  }

  store::Transaction& transaction_;
  const KeysetHome home_;
  const RollTools& tools_;
  const zone::ZonePolicy& policy_;
  const rollover::Delays delays_;
  store::RollingKeysetRow keyset_;
  const store::RollingKeysetRow before_;
  std::vector<store::KeyRow> keys_;
  rollover::RollState state_;
  rollover::Schedule schedule_;
  RollOutcome outcome_;
  bool changed_ = false;
  bool must_make_keys_ = false;
  keys::MadeKeys made_{tools_.keys};  // in this step
};

Result<KeysetHome> HomeOf(store::Transaction& transaction, const store::NamespaceRow& registered, const store::KeysetId& id) {
  if (id.zone_id == 0) return KeysetHome{id, registered.apex, false};
  auto zones = store::LoadZones(transaction, {id.zone_id});
  if (!zones) return tl::unexpected(zones.error());
  IDZONE_INVARIANT(zones->size() == 1, "keys of a zone are made with the zone");
  return KeysetHome{id, zones->front().name, zones->front().parent_id.has_value()};
}

}  // namespace

Result<RollOutcome> StepKeyRoll(store::Transaction& transaction, const store::ZoneWork& work, std::int32_t keyset_zone_id,
                                const RollTools& tools) {
  const store::NamespaceRow& registered = work.registered;
  const store::KeysetId id{registered.namespace_id, keyset_zone_id};
  const auto zone = store::LockZone(transaction, work.zone->zone_id);
  if (!zone) return tl::unexpected(zone.error());
  auto keyset = *zone ? store::LockKeyset(transaction, id) : std::nullopt;
  if (!keyset) return RollOutcome{.busy = true, .actions = {}, .refused = {}, .roll = {}, .waiting = {}};
  // Times that a wrong clock says are no times to wait for.
  if (auto checked = CheckClock(**zone, tools.now); !checked) return tl::unexpected(checked.error());
  auto keys = store::LoadKeys(transaction, id);
  if (!keys) return tl::unexpected(keys.error());
  auto home = HomeOf(transaction, registered, id);
  if (!home) return tl::unexpected(home.error());
  return RollSession(transaction, *std::move(home), tools, registered.policy, std::move(*keyset), std::move(*keys)).Run();
}

rollover::KeyLives LivesOf(const zone::ZonePolicy& policy) {
  return {policy.keys.key_life, policy.keys.zsk_life};
}

rollover::RolledKey ToRolled(const store::KeyRow& row) {
  return {.id = row.key_id,
          .role = row.role,
          .algorithm = static_cast<std::uint8_t>(row.dnskey[3]),
          .state = row.state,
          .uses = row.uses,
          .part = static_cast<rollover::Part>(row.part)};
}

rollover::ParentView MatchParent(const dns::Name& zone, const std::vector<store::KeyRow>& keys, const std::vector<Octets>& ds) {
  rollover::ParentView view;
  for (const store::KeyRow& key : keys) {
    const Octets ours = dns::EncodeDs(zone, key.dnskey);
    if (std::find(ds.begin(), ds.end(), ours) != ds.end()) view.key_ids.push_back(key.key_id);
    // RFC 4034 §5.1: key tag, algorithm, digest type, digest.
    const bool otherwise = std::any_of(ds.begin(), ds.end(), [&](const Octets& record) {
      return record.size() > 4 && record.compare(0, 3, ours, 0, 3) == 0 && record[3] != ours[3];
    });
    if (otherwise) view.other_digest_ids.push_back(key.key_id);
  }
  return view;
}

}  // namespace idzone::signer::pipeline
