// SPDX-License-Identifier: MIT
#pragma once

#include "zone-signer/pipeline/publication.h"

/// The kinds of work on a namespace's zones, each one transaction: all of it or nothing happens, and doing it again is harmless.
namespace idzone::signer::pipeline {

/// What one transaction did.
struct WorkOutcome {
  bool busy = false;            // another signer has the namespace: nothing was done
  bool more = false;            // there is more of the same to do
  bool revoked = false;         // what it took of the queue were revocations
  zone::ZonePosition position;  // of the zone that has the new version, when there is one only
  std::int64_t identities = 0;  // looked at in the queue
  Publication publication;
  std::chrono::microseconds planning{0};
  std::optional<std::chrono::seconds> least_rest;  // of the signatures that the sweep met
  std::vector<Error> refused;                      // identities that cannot be published

  bool published() const { return publication.versions > 0; }
};

/// What the work needs besides the transaction.
struct WorkTools {
  keys::KeyStore& keys;
  const signing::BatchSigner& signer;
  std::int64_t batch_max;  // identities of one batch, nodes of the sweep steps of one transaction
  UnixTime now;
  std::optional<GiveWay> gives_way{};  // CANCELLED then
};

/// Takes dirty batches, revocations first and by themselves, and publishes what they change, in all the zones that own
/// those names. Batches that change nothing are recorded at the versions that the zones have already. Requires: all cuts of a tree are
/// made.
Result<WorkOutcome> PublishChanges(store::Transaction& transaction, const store::ZoneWork& work, const WorkTools& tools);

/// Takes the next step of the sweep in each of the zones where one is due, and renews the apex signatures that are.
Result<WorkOutcome> RenewSignatures(store::Transaction& transaction, const store::ZoneWork& work, const std::vector<std::int32_t>& zone_ids,
                                    const WorkTools& tools);

}  // namespace idzone::signer::pipeline
