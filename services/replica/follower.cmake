# SPDX-License-Identifier: MIT
# idzone-replicad: the follower writes the replica; it alone knows gRPC, protobuf and logs here.
idzone_library(idzone_follower
  SOURCES edge_metrics.cc follower.cc follower_check.cc follower_children.cc follower_history.cc follower_home.cc follower_message.cc follower_metrics.cc follower_trust.cc key_memory.cc link.cc recovery.cc watch.cc
  DEPENDS idzone_replica_writer idzone_ldns_bridge idzone_rpc_client idzone_process prometheus-cpp::core)

idzone_program(idzone-replicad SOURCES main.cc DEPENDS idzone_follower idzone_transfer)
install(TARGETS idzone-replicad RUNTIME)
