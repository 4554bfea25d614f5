// SPDX-License-Identifier: MIT
#pragma once

#include <unordered_map>

#include "zone-signer/pipeline/zone_session.h"

/// From what the registry wants to what of the zones is different: the reconciler's heart. Planning the same wishes twice
/// changes nothing.
namespace idzone::signer::pipeline {

/// What each owner name should have of the types that identities are published as: RRsets ascending by type, or none.
using Wishes = std::unordered_map<dns::Name, std::vector<dns::RrSet>>;

/// Turns identities into wishes, and notes which batches asked for each. An identity whose row cannot be published (a subject or
/// a record that no code of ours would have stored, or any in a namespace that holds an authority alone) is left as it is, and
/// reported in `refused`.
struct RegistryWishes {
  Wishes wishes;
  std::unordered_map<dns::Name, std::vector<std::int64_t>> batches;
};
RegistryWishes MakeWishes(const NamespaceSession& home, const std::vector<store::DesiredIdentity>& identities, std::vector<Error>& refused);

/// Adds the wish for the namespace's authority: its TLSA RRset at `*` of a wildcard namespace, else at the apex; nothing there
/// when there is none.
void AddAuthorityWish(const NamespaceSession& home, const std::optional<Octets>& rdata, Wishes& wishes, std::vector<Error>& refused);

/// Compares the wishes of each zone with its published nodes and puts what is different into its draft, with everything that
/// follows for empty non-terminals and the denial chain. Loads what it needs, for all zones at once. A wish may also be a
/// delegation, at a name that does not exist yet. Requires: the zones are open.
using WishesByZone = std::map<std::int32_t, Wishes>;
Result<void> PlanChanges(store::Transaction& transaction, OpenZones& zones, const WishesByZone& wishes);

}  // namespace idzone::signer::pipeline
