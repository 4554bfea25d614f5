// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "services/core/dns/name.h"
#include "services/rpc/caller.h"

namespace idzone::store {
class Database;
}

/// Why a zone is not there yet: who has just registered a namespace must not be left alone with "not found".
namespace idzone::provisioning {

/// Returns the error for a zone that was not found: NAMESPACE_NOT_READY, with what keeps signers from making it, when it is the own zone of
/// a namespace that the caller may see; `not_found` otherwise.
Error WhyAbsent(store::Database& database, const rpc::Caller& caller, const dns::Name& zone, const Error& not_found);

/// Returns what keeps signers from making a namespace's zone, for people; empty: nothing that they told of.
std::string SignersTrouble(store::Database& database, std::int32_t namespace_id);

}  // namespace idzone::provisioning
