-- SPDX-License-Identifier: MIT
-- A DNS host that is no more is removed: else it holds up for ever who waits until changes are live everywhere, and every new cut.
-- Locks: registry.edge, published.edge_position and published.secondary exclusively, for a moment: rows of the last two are looked at once.

alter table published.edge_position
    drop constraint edge_position_edge_id_fkey,
    add constraint edge_position_edge_id_fkey foreign key (edge_id) references registry.edge on delete cascade;
alter table published.secondary
    drop constraint secondary_edge_id_fkey,
    add constraint secondary_edge_id_fkey foreign key (edge_id) references registry.edge on delete cascade;

grant delete on registry.edge to idzone_provisiond;
