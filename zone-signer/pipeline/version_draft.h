// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <vector>

#include "services/store/published_store.h"

namespace idzone::signer::pipeline {

/// A node as it will be in the next version, and what of it is different from the published one.
struct DraftNode {
  store::NodeRow row;
  std::vector<dns::RrType> types;  // what its denial record lists; row.rrsets says the same when `whole`
  bool whole = true;               // false: a neighbour in the chain, of which only key, types and next are known
  bool created = false;
  bool removed = false;
  bool data_changed = false;    // RRsets without signatures are to be signed
  bool denial_changed = false;  // the denial record is to be signed
  bool child_count_changed = false;
};

/// A zone's next version while it is being made: nodes by key, so that what comes out is in the delta's order.
class VersionDraft {
 public:
  /// Adds a node that was loaded; one that is there already stays as it is, and a neighbour becomes whole. References stay valid.
  DraftNode& AddLoaded(store::NodeRow row);
  DraftNode& AddNeighbour(const store::ChainRow& neighbour);
  /// The new node belongs to that zone.
  DraftNode& Create(std::int32_t zone_id, const dns::DenialKey& key, const dns::Name& owner, std::int32_t child_count,
                    std::vector<dns::RrSet> rrsets);
  DraftNode* Find(const dns::DenialKey& key);

  /// Replaces or (null) removes the RRset of one type; its signatures will be made. Notes what that changes.
  static void SetRrSet(DraftNode& node, dns::RrType type, const dns::RrSet* rrset);

  /// Says whether anything that the world sees is different.
  bool HasChanges() const;

  std::map<dns::DenialKey, DraftNode>& nodes() { return nodes_; }
  const std::map<dns::DenialKey, DraftNode>& nodes() const { return nodes_; }

 private:
  std::map<dns::DenialKey, DraftNode> nodes_;
};

/// Returns the delta that a follower applies. Requires: everything that changed is signed.
std::vector<zone::NodeChange> MakeDelta(const VersionDraft& draft);

}  // namespace idzone::signer::pipeline
