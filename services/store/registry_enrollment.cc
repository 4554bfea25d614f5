// SPDX-License-Identifier: MIT
#include "services/store/registry_enrollment.h"

#include <algorithm>
#include <set>

#include "services/core/base/limits.h"
#include "services/core/zone/secondary.h"
#include "services/store/database.h"
#include "services/store/failure.h"
#include "services/store/registry_batch.h"
#include "services/store/registry_cut.h"

namespace idzone::store {
namespace {

using Transaction = pqxx::transaction_base;
using Key = std::pair<std::int32_t, Octets>;  // namespace, fingerprint

constexpr Statement kReadKeys{"enroll_read_keys",
                              "select c.namespace_id, c.fingerprint, c.identity_id, i.subject,"
                              " r.identity_id is not null or t.fingerprint is not null"
                              " from unnest($1::integer[], $2::bytea[]) u(n, f)"
                              " join registry.credential c on c.namespace_id = u.n and c.fingerprint = u.f"
                              " join registry.identity i on i.identity_id = c.identity_id"
                              " left join lateral (" IDZONE_REVOCATION_OF("c") ") r on true"
                              " left join registry.retirement t on t.namespace_id = c.namespace_id and t.fingerprint = c.fingerprint"};
constexpr Statement kReadDenialLabels{"enroll_read_denial_labels",
                                      "select u.h, n.owner from unnest($1::integer[], $2::bytea[]) u(i, h)"
                                      " join published.zone z on z.namespace_id = u.i and z.denial = 1"
                                      " join published.node n on n.zone_id = z.zone_id and n.denial_key = u.h"};
// Without `on conflict`, which looks each row up in every unique index before it inserts there, and confirms each row in the WAL. What
// is there was read before; what another transaction inserts meanwhile is an error here, and the transaction runs again.
constexpr Statement kInsertIdentities{"enroll_insert_identities",
                                      "insert into registry.identity (identity_id, namespace_id, subject, batch_id, label)"
                                      " select i, n, s, b, nullif(l, '')"
                                      " from unnest($1::uuid[], $2::integer[], $3::text[], $4::bigint[], $5::text[]) u(i, n, s, b, l)"};
constexpr Statement kInsertCredentials{
    "enroll_insert_credentials",
    "insert into registry.credential (namespace_id, fingerprint, identity_id, rr_type, rdata)"
    " select n, f, i, y, d from unnest($1::integer[], $2::bytea[], $3::uuid[], $4::smallint[], $5::bytea[]) u(n, f, i, y, d)"};

constexpr Statement kReadServedElsewhere{
    "enroll_read_served_elsewhere",
    "select z.namespace_id, o.ttl, max(z.node_count), max(s.notify_period_seconds) from published.zone z"
    " join published.secondary_position p on p.zone_id = z.zone_id join published.secondary s using (edge_id, secondary_id)"
    " join registry.namespace n on n.namespace_id = z.namespace_id join registry.policy o on o.name = n.policy"
    " where z.namespace_id = any ($1::integer[]) group by z.namespace_id, o.ttl"};

/// Whose key it is.
struct KeyHolder {
  Octets identity_id;
  std::string subject;
  bool gone = false;  // the identity was revoked, or the key was retired
};

/// What is committed about the identities and keys of a batch, and what the batch itself is going to insert.
struct Known {
  std::map<Octets, IdentityRecord> identities;
  std::map<Key, KeyHolder> keys;
  std::map<Octets, std::size_t> new_identities;  // → item
  std::map<Octets, dns::Name> denial_labels;     // NSEC3 hash → the name that has it
  std::vector<std::pair<std::int32_t, std::string>> closed_cuts;
  std::map<std::int32_t, std::chrono::seconds> too_slow;  // namespaces that foreign secondaries serve too slowly for their policy
};

/// Looks up below which cuts nobody may be enrolled yet. Enum namespaces alone pay for it.
void ReadClosedCuts(Transaction& transaction, const std::vector<Enrollment>& items, Known& known) {
  std::set<std::int32_t> namespaces;
  for (const Enrollment& item : items) {
    if (item.home->layout.kind == zone::LayoutKind::kEnum) namespaces.insert(item.home->namespace_id);
  }
  if (!namespaces.empty()) known.closed_cuts = ClosedCutsIn(transaction, {namespaces.begin(), namespaces.end()});
}

/// Looks up whose zones have grown too large for the foreign secondaries that serve them. The two policies of long TTLs pay nothing.
void ReadTooSlow(Transaction& transaction, const std::vector<Enrollment>& items, Known& known) {
  std::set<std::int32_t> namespaces;
  for (const Enrollment& item : items) {
    if (item.home->policy != "standard" && item.home->policy != "relaxed") namespaces.insert(item.home->namespace_id);
  }
  if (namespaces.empty()) return;
  for (const pqxx::row& row : Execute(transaction, kReadServedElsewhere, IntegerArray({namespaces.begin(), namespaces.end()}))) {
    const auto bound = zone::SecondaryRevocationBound(std::chrono::seconds(row[3].as<int>()), row[2].as<std::uint64_t>());
    if (zone::IsTooSlowForSecondaries(row[1].as<dns::Ttl>(), bound)) known.too_slow[row[0].as<std::int32_t>()] = bound;
  }
}

/// Looks up which ids are the NSEC3 labels of other names. Few items ask.
void ReadDenialLabels(Transaction& transaction, const std::vector<Enrollment>& items, Known& known) {
  std::vector<std::int32_t> namespaces;
  std::vector<OctetsView> hashes;
  for (const Enrollment& item : items) {
    if (item.denial_hash.empty()) continue;
    namespaces.push_back(item.home->namespace_id);
    hashes.push_back(item.denial_hash);
  }
  if (hashes.empty()) return;
  for (const pqxx::row& row : Execute(transaction, kReadDenialLabels, IntegerArray(namespaces), ByteaArray(hashes))) {
    auto owner = dns::Name::FromWire(OctetsOf(row[1]), "published.node.owner");
    IDZONE_INVARIANT(owner.has_value(), "published.node holds names: the signer wrote them");
    known.denial_labels.emplace(OctetsOf(row[0]), std::move(*owner));
  }
}

/// Looks up what decides about new identities, and with `existing` which identities and keys there are.
Known ReadKnown(Transaction& transaction, const std::vector<Enrollment>& items, bool existing) {
  Known known;
  ReadClosedCuts(transaction, items, known);
  ReadTooSlow(transaction, items, known);
  ReadDenialLabels(transaction, items, known);
  if (!existing) return known;
  std::vector<OctetsView> identity_ids;
  std::vector<std::int32_t> namespaces;
  std::vector<OctetsView> fingerprints;
  for (const Enrollment& item : items) {
    identity_ids.push_back(item.identity_id);
    namespaces.push_back(item.home->namespace_id);
    fingerprints.push_back(item.fingerprint);
  }
  known.identities = ReadIdentities(transaction, identity_ids);
  for (const pqxx::row& row : Execute(transaction, kReadKeys, IntegerArray(namespaces), ByteaArray(fingerprints)))
    known.keys[{row[0].as<std::int32_t>(), OctetsOf(row[1])}] = {UuidOf(row[2]), row[3].as<std::string>(), row[4].as<bool>()};
  return known;
}

tl::unexpected<Error> KeyConflict(const Enrollment& item, OctetsView there) {
  return Fail(Reason::kKeyConflict, "material", "the enrolled key of " + item.subject + ", SHA-256 " + HexEncode(there),
              "another key, SHA-256 " + HexEncode(item.fingerprint));
}

tl::unexpected<Error> LabelConflict(const Enrollment& item) {
  return Fail(Reason::kLabelConflict, "label_privacy",
              item.subject + " as it is enrolled: " + (item.label ? "in clear" : "at a private label"),
              item.label ? "a private label" : "its id in clear");
}

/// Refuses a key that somebody has, or had.
Result<void> CheckFree(const Enrollment& item, const Known& known) {
  const auto holder = known.keys.find({item.home->namespace_id, item.fingerprint});
  if (holder == known.keys.end()) return {};
  const std::string met = "the key of " + holder->second.subject + ", SHA-256 " + HexEncode(item.fingerprint);
  if (holder->second.gone) return Fail(Reason::kKeyRevoked, "material", "a key that was never revoked or retired", met);
  return Fail(Reason::kKeyAlreadyBound, "material", "a key of its own for " + item.subject, met);
}

Result<Enrolled> DecideKnown(const Enrollment& item, const IdentityRecord& identity) {
  if (identity.revoked_at) return tl::unexpected(RevokedError(identity));
  if (identity.label.has_value() != item.label.has_value()) return LabelConflict(item);
  const KeyRecord* key = identity.FindKey(item.fingerprint);
  if (key == nullptr) return KeyConflict(item, identity.MainKey().fingerprint);
  if (key->retired_at)
    return Fail(Reason::kKeyRevoked, "material", "a key that was never retired", "a retired one, SHA-256 " + HexEncode(item.fingerprint));
  return Enrolled{identity, true};
}

/// Decides one item. Returns nothing when it is to be inserted.
std::optional<Result<Enrolled>> Decide(const Enrollment& item, const Known& known, const std::vector<Enrollment>& items) {
  if (const auto there = known.identities.find(item.identity_id); there != known.identities.end()) return DecideKnown(item, there->second);
  if (const auto twin = known.new_identities.find(item.identity_id); twin != known.new_identities.end()) {
    const Enrollment& first = items[twin->second];
    if (first.label.has_value() != item.label.has_value()) return LabelConflict(item);
    if (first.fingerprint != item.fingerprint) return KeyConflict(item, first.fingerprint);
    return std::nullopt;
  }
  if (auto free = CheckFree(item, known); !free) return tl::unexpected(free.error());
  for (const auto& [namespace_id, prefix] : known.closed_cuts) {
    if (namespace_id == item.home->namespace_id && item.subject.starts_with(prefix))
      return Fail(Reason::kNamespaceNotReady, "id", "an id below no cut that is being made: " + prefix + " opens when every edge has it",
                  item.subject);
  }
  if (const auto slow = known.too_slow.find(item.home->namespace_id); slow != known.too_slow.end())
    return Fail(Reason::kLimitExceeded, "namespace_name",
                "a zone that foreign secondaries can take within the TTL of policy " + item.home->policy,
                "one that takes them up to " + std::to_string(slow->second.count()) + " s");
  if (const auto label = known.denial_labels.find(item.denial_hash); label != known.denial_labels.end())
    return Fail(Reason::kIdIsDenialLabel, "id", "an id that is no NSEC3 label of the zone",
                item.subject + ", that of " + label->second.Format());
  return std::nullopt;
}

/// Inserts the chosen items, ascending by key.
void Insert(Transaction& transaction, const std::vector<const Enrollment*>& chosen, const BatchNumbers& numbers) {
  std::vector<const Enrollment*> sorted = chosen;
  std::vector<OctetsView> ids, fingerprints, rdatas;
  std::vector<std::int32_t> namespaces;
  std::vector<std::string_view> subjects, labels;
  std::vector<std::int64_t> batches;
  std::sort(sorted.begin(), sorted.end(), [](const auto* left, const auto* right) { return left->identity_id < right->identity_id; });
  for (const Enrollment* item : sorted) {
    ids.push_back(item->identity_id);
    namespaces.push_back(item->home->namespace_id);
    subjects.push_back(item->subject);
    labels.push_back(item->label ? std::string_view(*item->label) : std::string_view());
    batches.push_back(numbers.of_identity.at(item->identity_id));
  }
  Execute(transaction, kInsertIdentities, UuidArray(ids), IntegerArray(namespaces), TextArray(subjects), BigintArray(batches),
          TextArray(labels));
  std::sort(sorted.begin(), sorted.end(), [](const auto* left, const auto* right) {
    return std::tie(left->home->namespace_id, left->fingerprint) < std::tie(right->home->namespace_id, right->fingerprint);
  });
  ids.clear();
  namespaces.clear();
  std::vector<std::int16_t> types;
  for (const Enrollment* item : sorted) {
    namespaces.push_back(item->home->namespace_id);
    fingerprints.push_back(item->fingerprint);
    ids.push_back(item->identity_id);
    types.push_back(static_cast<std::int16_t>(item->type));
    rdatas.push_back(item->rdata);
  }
  Execute(transaction, kInsertCredentials, IntegerArray(namespaces), ByteaArray(fingerprints), UuidArray(ids), SmallintArray(types),
          ByteaArray(rdatas));
}

IdentityRecord NewRecord(const Enrollment& item, const BatchNumbers& numbers) {
  return {.identity_id = item.identity_id,
          .subject = item.subject,
          .label = item.label,
          .keys = {{.fingerprint = item.fingerprint, .type = item.type, .rdata = item.rdata, .added_at = numbers.now, .retired_at = {}}},
          .enrolled_at = numbers.now,
          .revoked_at = std::nullopt,
          .change = static_cast<std::uint64_t>(numbers.of_identity.at(item.identity_id)),
          .version = std::nullopt};
}

using Outcomes = std::vector<Result<Enrolled>>;

/// Without `look` no identity is supposed to exist. Throws LostRace when one does, or when any item is to be refused: the reasons
/// depend on what exists.
Result<Outcomes> EnrollIn(Transaction& transaction, const std::vector<Enrollment>& items, bool look) {
  Known known = ReadKnown(transaction, items, look);
  std::vector<std::optional<Result<Enrolled>>> decided;
  std::vector<const Enrollment*> chosen;
  ChangedIdentities changed;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Enrollment& item = items[i];
    decided.push_back(Decide(item, known, items));
    if (decided.back() && !look) throw LostRace{};
    if (decided.back() || !known.new_identities.emplace(item.identity_id, i).second) continue;
    known.keys[{item.home->namespace_id, item.fingerprint}] = {item.identity_id, item.subject, false};
    chosen.push_back(&item);
    changed.Add(item.home->namespace_id, item.actor, item.identity_id);
  }
  BatchNumbers numbers;
  if (!chosen.empty()) {
    numbers = TakeBatchNumbers(transaction, changed);
    try {
      Insert(transaction, chosen, numbers);
    } catch (const pqxx::unique_violation&) {
      throw LostRace{};  // another transaction was faster, or nobody looked
    }
    WriteChanges(transaction, DirtyKind::kEnrollment, "identity.enrolled", numbers, changed);
  }
  Outcomes outcomes;
  outcomes.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (decided[i])
      outcomes.push_back(std::move(*decided[i]));
    else
      outcomes.push_back(Enrolled{NewRecord(items[i], numbers), known.new_identities.at(items[i].identity_id) != i});
  }
  return outcomes;
}

}  // namespace

std::vector<Result<Enrolled>> EnrollBatch(Database& database, const std::vector<Enrollment>& items, EnrollmentOutlook& outlook) {
  IDZONE_INVARIANT(items.size() <= limits::kEnrollBatchMax, "a batch has at most kEnrollBatchMax items");
  bool look = !outlook.all_new;
  auto outcomes =
      database.Transact("enroll", [&](Transaction& transaction) { return EnrollIn(transaction, items, std::exchange(look, true)); });
  if (outcomes) {
    outlook.all_new = std::all_of(outcomes->begin(), outcomes->end(), [](const auto& outcome) { return outcome && !outcome->already; });
    return std::move(*outcomes);
  }
  return {items.size(), Result<Enrolled>(tl::unexpected(outcomes.error()))};
}

std::vector<Result<Enrolled>> EnrollBatch(Database& database, const std::vector<Enrollment>& items) {
  EnrollmentOutlook none;
  return EnrollBatch(database, items, none);
}

}  // namespace idzone::store
