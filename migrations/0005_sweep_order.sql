-- SPDX-License-Identifier: MIT
-- The order in which an NSEC zone is signed again. In an NSEC3 zone that is the order of the keys, which are hashes; in an
-- NSEC zone names grow in heaps, so that the share of the keys that is behind would say nothing of the share of the work.
-- Keys of NSEC zones begin with 0x00, and of the hashes one in 256 does: NSEC3 zones pay nothing worth the name.
-- An owner never changes, and so the index holds nothing that signing again would move.
-- Locks: published.node against writes while the index is built, a second or two for a million nodes.
create index node_sweep on published.node (zone_id, substr(sha256(owner), 1, 20)) where get_byte(denial_key, 0) = 0;
