// SPDX-License-Identifier: MIT
#include "services/feed/edge_directory.h"

#include "services/store/feed_store.h"

namespace idzone::feed {

Result<rpc::Caller> EdgeDirectory::Find(OctetsView fingerprint) {
  auto edge = store::FindEdgeByFingerprint(database_, fingerprint);
  if (!edge && edge.error().reason == Reason::kNotFound)
    return Fail(Reason::kPrincipalUnknown, "client certificate", "the key of a registered edge", edge.error().met);
  if (!edge) return tl::unexpected(edge.error());
  rpc::Caller caller;
  caller.fingerprint = Octets(fingerprint);
  caller.role = rpc::Role::kEdge;
  caller.edge_id = std::move(edge->edge_id);
  caller.registered_at = edge->registered_at;
  return caller;
}

}  // namespace idzone::feed
