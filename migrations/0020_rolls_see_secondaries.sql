-- SPDX-License-Identifier: MIT
-- A key roll waits for foreign secondaries, too: what they serve was signed by the keys of the version that they have.
-- Locks: none.

-- Where everybody stands who serves a zone and says so: edges, and the secondaries of transfer hosts (epoch 0: at none of the last versions).
create view published.server_position as
    select edge_id as server_id, zone_id, epoch, serial, reported_at from published.edge_position
    union all
    select secondary_id, zone_id, epoch, serial, reported_at from published.secondary_position;

grant select on published.server_position to idzone_signerd, idzone_provisiond;
