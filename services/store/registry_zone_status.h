// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <vector>

#include "services/core/zone/policy.h"
#include "services/store/registry_record.h"

namespace pqxx {
class transaction_base;
}

/// How a zone fares: what an operator looks at when he wonders whether it lives, and until when. And his word on the signer's clock.
namespace idzone::store {

class Database;

/// What keeps a signer from its work.
struct AlarmRecord {
  std::string reason;  // a Reason's name
  std::string detail;
  UnixTime raised_at{};
  UnixTime reported_at{};  // it lasted then
};

/// Where a foreign secondary stands that serves the zone.
struct SecondaryRecord {
  std::string secondary_id;
  std::string edge_id;  // the transfer host that tells it of changes
  std::chrono::seconds notify_period{0};
  zone::Epoch epoch = 0;
  dns::Serial serial = 0;
  UnixTime reported_at{};
};

struct ZoneStatusRecord {
  std::string zone;
  std::string namespace_name;
  std::string operator_id;
  zone::ZonePolicy policy{};
  zone::Epoch epoch = 0;
  dns::Serial serial = 0;
  UnixTime now{};  // PostgreSQL's clock, when all this was read
  UnixTime last_signed_at{};
  UnixTime first_expiry{};  // of its signatures; some may have been removed or renewed since, so that the true one is not earlier
  UnixTime renew_at{};      // when the next signature is due
  std::optional<UnixTime> oldest_revocation{};  // of the namespace's queue
  std::optional<UnixTime> oldest_enrollment{};
  std::optional<UnixTime> quarantine_end{};  // when the last revoked name of the namespace is free again; unset: all are
  std::vector<AlarmRecord> alarms{};         // those of its namespace and those of all, as far as they last
  std::uint64_t node_count = 0;
  std::vector<SecondaryRecord> secondaries{};
};

/// Returns what keeps signers from the work on a namespace, as far as it lasts; its zone need not exist yet.
std::vector<AlarmRecord> ListAlarms(pqxx::transaction_base& transaction, std::int32_t namespace_id);
Result<std::vector<AlarmRecord>> ListAlarms(Database& database, std::int32_t namespace_id);

/// NOT_FOUND. Cost: a few look-ups, however large the zone is.
Result<ZoneStatusRecord> FindZoneStatus(Database& database, const dns::Name& name);

/// Says that the signer's clock is right, whatever the zone's last signatures let one think. Holds for an hour. NOT_FOUND.
Result<void> TrustClock(Database& database, const Actor& actor, const dns::Name& zone, const std::string& reason);

}  // namespace idzone::store
