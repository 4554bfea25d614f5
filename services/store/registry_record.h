// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "services/core/base/clock.h"
#include "services/core/base/octets.h"
#include "services/core/dns/denial.h"
#include "services/core/dns/dnskey.h"
#include "services/core/dns/name.h"
#include "services/core/dns/rr_type.h"
#include "services/core/records/profile.h"
#include "services/core/zone/layout.h"
#include "services/core/zone/version.h"

/// What the registry keeps, as values. Made by the registry's readers only.
namespace idzone::store {

/// Who did it, for the audit log.
struct Actor {
  Octets fingerprint;
  std::string operator_id;
  friend auto operator<=>(const Actor&, const Actor&) = default;
};

struct OperatorRecord {
  std::string operator_id;
  std::string display_name;
  UnixTime created_at{};
};

/// role: 1 admin, 2 enroller, 3 auditor, 4 re-enroller.
struct PrincipalRecord {
  Octets fingerprint;
  std::string operator_id;
  std::string display_name;
  int role = 0;
  UnixTime created_at{};
  std::optional<UnixTime> disabled_at{};
};

/// A namespace's certification authority.
struct AuthorityRecord {
  Octets fingerprint;
  Octets rdata;  // TLSA with usage 2
  UnixTime set_at{};
  std::uint64_t change = 0;
};

struct NamespaceRecord {
  std::int32_t namespace_id = 0;
  dns::Name name;
  std::string operator_id;
  zone::Layout layout;
  std::string policy;
  records::RecordProfile profile = records::RecordProfile::kTlsa311;
  std::vector<std::string> name_servers{};
  UnixTime created_at{};
  bool zone_exists = false;
  zone::LabelPrivacy labels = zone::LabelPrivacy::kClear;
  Octets sealed_secret{};  // makes private labels; empty when all are clear
  dns::DenialKind denial = dns::DenialKind::kNsec3;
  std::uint8_t algorithm = dns::kAlgorithmEcdsaP256Sha256;
  bool wildcard_ca = false;
  bool mail_records = false;
  bool has_cuts = false;  // of a tree: each prefix is a zone of its own
  std::uint32_t cuts_wanted = 0;
  std::uint32_t cuts_made = 0;
  std::optional<AuthorityRecord> authority{};
};

/// In which version of which zone something was published.
struct PublishedIn {
  std::string zone;  // fully qualified
  zone::Epoch epoch = 0;
  dns::Serial serial = 0;
};

/// One of an identity's keys, with the record that it is published as.
struct KeyRecord {
  Octets fingerprint;
  dns::RrType type = dns::RrType::kTlsa;
  Octets rdata;
  UnixTime added_at{};
  std::optional<UnixTime> retired_at{};
};

struct IdentityRecord {
  Octets identity_id;
  std::string subject;
  std::optional<std::string> label{};  // the private label; unset when the owner name shows the subject
  std::vector<KeyRecord> keys{};       // in the order in which they came, at least one
  UnixTime enrolled_at{};
  std::optional<UnixTime> revoked_at{};
  std::uint64_t change = 0;  // the newest batch about it
  std::optional<PublishedIn> version{};
  int life = 1;                              // one more with each re-enrollment
  std::optional<UnixTime> quarantine_end{};  // of a revoked one: from then on it may be enrolled again; unset: not known yet

  /// Returns the first key that is not retired, else the first. Requires: keys were read.
  const KeyRecord& MainKey() const;
  const KeyRecord* FindKey(OctetsView fingerprint) const;
};

struct EdgePositionRecord {
  std::string edge_id;
  std::string zone;
  zone::Epoch epoch = 0;
  dns::Serial serial = 0;
  zone::Epoch published_epoch = 0;
  dns::Serial published_serial = 0;
  UnixTime reported_at{};
};

struct EdgeRecord {
  std::string edge_id;
  Octets fingerprint;
  UnixTime created_at{};
  std::vector<EdgePositionRecord> positions{};
};

/// One page of a list: at most `limit` records after `after` (a list's own key; empty: from the start).
struct PageOf {
  std::string after;
  std::uint32_t limit = 0;
};

}  // namespace idzone::store
