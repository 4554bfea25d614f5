// SPDX-License-Identifier: MIT
#include "services/feed/edge_directory.h"

#include "services/store/feed_store.h"

namespace idzone::feed {

Result<rpc::Caller> EdgeDirectory::Find(OctetsView fingerprint) {
  auto edge_id = store::FindEdgeByFingerprint(database_, fingerprint);
  if (!edge_id && edge_id.error().reason == Reason::kNotFound)
    return Fail(Reason::kPrincipalUnknown, "client certificate", "the key of a registered edge", edge_id.error().met);
  if (!edge_id) return tl::unexpected(edge_id.error());
  rpc::Caller caller;
  caller.fingerprint = Octets(fingerprint);
  caller.role = rpc::Role::kEdge;
  caller.edge_id = std::move(*edge_id);
  return caller;
}

}  // namespace idzone::feed
