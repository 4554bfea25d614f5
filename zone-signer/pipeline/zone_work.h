// SPDX-License-Identifier: MIT
#pragma once

#include "zone-signer/pipeline/publication.h"

/// The kinds of work on a zone, each one transaction: all of it or nothing happens, and doing it again is harmless.
namespace idzone::signer::pipeline {

/// What one transaction did.
struct WorkOutcome {
  bool busy = false;       // another signer has the zone: nothing was done
  bool more = false;       // there is more of the same to do
  bool published = false;  // there is a new version
  zone::ZonePosition position;
  std::int64_t identities = 0;  // looked at in the queue
  std::int64_t nodes = 0;       // in the delta
  Publication publication;
  std::chrono::microseconds planning{0};
  std::optional<UnixTime> apex_due;
  std::optional<std::chrono::seconds> least_rest;  // of the signatures that the sweep met
  std::vector<Error> refused;                      // identities that cannot be published
};

/// What the work needs besides the transaction.
struct WorkTools {
  keys::KeyDirectory& keys;
  const signing::BatchSigner& signer;
  std::int64_t batch_max;  // identities of one batch, nodes of one sweep step
  UnixTime now;
};

/// Makes the zone of a namespace: its key (sealed on disk before the database knows of it) and version 1, an apex alone.
Result<WorkOutcome> CreateZone(store::Transaction& transaction, const store::NamespaceRow& registered, const WorkTools& tools);

/// Takes dirty batches, revocations first, and publishes what they change. Batches that change nothing are recorded at
/// the version that the zone has already.
Result<WorkOutcome> PublishChanges(store::Transaction& transaction, const store::ZoneWork& work, const WorkTools& tools);

/// Takes the sweep's next step, if one is due, and renews the apex signatures, if they are.
Result<WorkOutcome> RenewSignatures(store::Transaction& transaction, const store::ZoneWork& work, const WorkTools& tools);

}  // namespace idzone::signer::pipeline
