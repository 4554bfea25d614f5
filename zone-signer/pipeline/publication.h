// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>

#include "zone-signer/pipeline/zone_session.h"
#include "zone-signer/signing/batch_signer.h"

namespace idzone::signer::pipeline {

/// To revocations that come meanwhile, in any namespace but those that cannot be worked on now.
struct GiveWay {
  std::span<const std::int32_t> left_alone;
};

/// What the versions of one transaction took, for logs and metrics.
struct Publication {
  std::int64_t versions = 0;
  std::int64_t nodes = 0;  // in their deltas
  std::int64_t signatures = 0;
  std::int64_t largest_delta = 0;  // octets, of one zone
  std::chrono::microseconds signing{0};
  std::chrono::microseconds writing{0};
};

/// Signs the drafts of the zones that have changes (or a SOA that is due) and writes each as its zone's next version: nodes,
/// journal and the zones' rows, in the transaction of the session, a statement a kind of change whatever the number of zones.
/// The rows in `zones` are then the new positions. `nodes_max`: of a step of the sweep, which says when the next one is due.
/// `gives_way`: CANCELLED when a revocation comes meanwhile, so that it need not wait for the end; nothing may be committed then.
/// CLOCK_DOUBT when one of them was signed later than now. Requires: the apex of each is in its draft (DraftApexes).
Result<Publication> PublishVersions(store::Transaction& transaction, OpenZones& zones, const signing::BatchSigner& signer,
                                    std::int64_t nodes_max, const std::optional<GiveWay>& gives_way = {});

}  // namespace idzone::signer::pipeline
