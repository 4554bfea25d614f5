// SPDX-License-Identifier: MIT
#pragma once

#include <pqxx/pqxx>

#include "services/core/zone/policy.h"

/// How a policy is read from its row, for the store's own .cc files.
namespace idzone::store {

/// The columns of a policy p, for ReadPolicy. Their names begin with policy_.
#define IDZONE_POLICY_COLUMNS                                                                                         \
  "p.name as policy_name, p.ttl as policy_ttl, p.negative_ttl as policy_negative_ttl, p.apex_ttl as policy_apex_ttl," \
  " p.identity_life as policy_identity_life, p.identity_resign as policy_identity_resign,"                            \
  " p.denial_life as policy_denial_life, p.denial_resign as policy_denial_resign,"                                    \
  " p.apex_life as policy_apex_life, p.apex_resign as policy_apex_resign,"                                            \
  " p.soa_refresh as policy_soa_refresh, p.soa_retry as policy_soa_retry, p.soa_expire as policy_soa_expire,"         \
  " p.key_scope as policy_key_scope, p.key_scheme as policy_key_scheme, p.key_life as policy_key_life,"               \
  " p.zsk_life as policy_zsk_life"

/// The table's CHECKs repeat the rules of MakeZonePolicy, so that every row is a policy.
zone::ZonePolicy ReadPolicy(const pqxx::row& row);

}  // namespace idzone::store
