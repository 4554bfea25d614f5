// SPDX-License-Identifier: MIT
#pragma once

#include "zone-signer/pipeline/zone_session.h"

/// Zones with keys of their own (zone::KeyScope::kZone). We are the parent of all but the namespace's own zone: the version in which
/// one of the others takes a revision of its keys and its parent's version with the DS records that go with it are one transaction, so
/// that no edge and no secondary has to be asked about two.
namespace idzone::signer::pipeline {

/// The first keys of a set, sealed on disk or in their token, and not in the database yet.
struct FirstKeys {
  std::vector<store::KeyRow> rows;
  keys::ZoneKeys keys;
};

/// Makes the first keys of a set, as the policy says.
Result<FirstKeys> MakeFirstKeys(const store::NamespaceRow& registered, const zone::ZonePolicy& policy, keys::MadeKeys& keys);
/// Writes them, with their set and its schedule.
void InsertFirstKeys(store::Transaction& transaction, const store::KeysetId& id, const zone::ZonePolicy& policy, const FirstKeys& first,
                     UnixTime now);

/// Loads the keys of the open zones and how far they have followed them (key_sweep.h); makes the cuts to those that have not taken
/// their keys' revision say what those keys want, which opens their parents.
Result<void> DraftOwnCuts(store::Transaction& transaction, OpenZones& zones);

}  // namespace idzone::signer::pipeline
