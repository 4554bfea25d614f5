-- SPDX-License-Identifier: MIT
-- What an enrollment pays at each of its rows and nobody needs: together an eighth of what PostgreSQL did for an imported name.
-- Locks: takes each table exclusively for a moment; the new index reads identity once.

-- Foreign keys look up, and lock, a row of another table for each row that is inserted. No role may delete from these other
-- tables, and each of our inserts has just read or written the row that it refers to, in the same transaction.
alter table registry.identity drop constraint identity_namespace_id_fkey;
alter table registry.credential drop constraint credential_identity_id_fkey;
alter table published.node drop constraint node_zone_id_fkey;

-- Most identities show their ids and have no private label: they are left out of the index.
alter table registry.identity drop constraint identity_label;
create unique index identity_label on registry.identity (namespace_id, label) where label is not null;

-- Tables that only grow: their pages are frozen and marked as all visible in small portions, and not a fifth of the table at a time.
alter table registry.identity set (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
alter table registry.credential set (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
-- One row a zone or an edge, rewritten with each version: a few hundred dead rows are a multiple of the table.
alter table published.zone set (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 500);
alter table published.edge_position set (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 500);
