// SPDX-License-Identifier: MIT
#include "services/provisioning/zone_absence.h"

#include "services/provisioning/namespace_directory.h"
#include "services/store/registry_namespace.h"
#include "services/store/registry_zone_status.h"

namespace idzone::provisioning {

Error WhyAbsent(store::Database& database, const rpc::Caller& caller, const dns::Name& zone, const Error& not_found) {
  if (not_found.reason != Reason::kNotFound) return not_found;
  const auto home = store::FindNamespace(database, zone);
  if (!home || !CheckTenant(caller, home->operator_id, "name")) return not_found;
  const std::string trouble = SignersTrouble(database, home->namespace_id);
  return {Reason::kNamespaceNotReady, "zone " + zone.Format(), "a signed zone",
          "a namespace whose zone no signer has made yet" + (trouble.empty() ? "" : ": " + trouble)};
}

std::string SignersTrouble(store::Database& database, std::int32_t namespace_id) {
  std::string text;
  const auto alarms = store::ListAlarms(database, namespace_id);
  if (!alarms) return text;
  for (const store::AlarmRecord& alarm : *alarms) text += (text.empty() ? "" : "; ") + alarm.reason + " " + alarm.detail;
  return text;
}

}  // namespace idzone::provisioning
