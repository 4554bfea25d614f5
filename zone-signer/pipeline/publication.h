// SPDX-License-Identifier: MIT
#pragma once

#include "zone-signer/pipeline/zone_session.h"
#include "zone-signer/signing/batch_signer.h"

namespace idzone::signer::pipeline {

/// What a version took, for logs and metrics.
struct Publication {
  std::int64_t signatures = 0;
  std::chrono::microseconds signing{0};
  std::chrono::microseconds writing{0};
};

/// Signs a draft and writes it as the zone's next version: nodes, journal and the zone's row, in the transaction of the
/// session; session.zone is then the new position. Requires: the apex is in the draft (DraftApex).
/// `first`: the draft is the zone's first version, at the serial and epoch that session.zone already has.
Result<Publication> PublishVersion(store::Transaction& transaction, ZoneSession& session, VersionDraft& draft,
                                   const signing::BatchSigner& signer, bool first = false);

}  // namespace idzone::signer::pipeline
