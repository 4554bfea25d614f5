// SPDX-License-Identifier: MIT
#pragma once

#include <set>
#include <string>
#include <vector>

#include "services/core/dns/name.h"

namespace idzone::cli {

/// What stands at a delegation, in the form of master files: lower-case names with the final dot; "12345 13 2 ab…".
struct Delegation {
  std::set<std::string> name_servers;
  std::set<std::string> delegation_signers;

  friend bool operator==(const Delegation&, const Delegation&) = default;
};

/// Asks a server, a resolver or one that is authoritative for the parent, for the NS and DS records of a zone. What it says is
/// not validated: the question is what the parent publishes, and a parent that publishes something wrong may well sign it.
/// `server`: an IPv4 or IPv6 address, with @PORT unless that is 53.
/// VALUE_MALFORMED the server; UNAVAILABLE no answer, or one that is a failure.
Result<Delegation> QueryDelegation(const dns::Name& zone, const std::string& server);

/// Reads what the zone wants its parent to say: the master file lines that `zone ds` prints.
Delegation ParseDelegation(const std::vector<std::string>& lines);

/// Returns what is wrong in the parent, a sentence each; none: it says what it should. A DS record with another digest of a key
/// that is wanted is right.
std::vector<std::string> CompareDelegations(const Delegation& wanted, const Delegation& met);

}  // namespace idzone::cli
