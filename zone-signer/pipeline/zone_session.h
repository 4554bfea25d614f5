// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "services/core/zone/policy.h"
#include "services/store/published_store.h"
#include "zone-signer/keys/key_directory.h"
#include "zone-signer/pipeline/version_draft.h"

namespace idzone::signer::pipeline {

/// One zone inside one transaction, its row locked: what every kind of work on it needs.
struct ZoneSession {
  store::NamespaceRow registered;
  zone::ZonePolicy policy;
  store::ZoneRow zone;
  keys::SigningKey key;
  UnixTime now;
  UnixTime apex_due;  // when the next apex signature must be made

  const dns::Name& apex() const { return registered.apex; }
  dns::DenialKind denial() const { return registered.denial; }
  /// Returns the key of a name of the zone.
  dns::DenialKey KeyOf(const dns::Name& owner) const { return dns::DenialKeyOf(denial(), owner, apex()); }
};

/// How far the clock may be behind a zone's last signature before it is doubted.
inline constexpr std::chrono::minutes kClockDoubt(1);

/// Locks the zone and gets its key ready. Nothing while another signer has the zone. CLOCK_DOUBT when now is before the
/// zone's last signature: signing with a wrong clock would make records that are invalid for everybody else.
/// KEY_FILE_INVALID when the key cannot be had or is not the published one.
Result<std::optional<ZoneSession>> BeginZoneSession(store::Transaction& transaction, const store::ZoneWork& work, keys::KeyDirectory& keys,
                                                    UnixTime now);

/// Loads the apex into the draft and makes it say what it ought to (apart from the SOA, which PublishVersion writes).
Result<void> DraftApex(store::Transaction& transaction, ZoneSession& session, VersionDraft& draft);

}  // namespace idzone::signer::pipeline
