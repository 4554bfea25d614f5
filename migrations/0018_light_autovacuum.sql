-- SPDX-License-Identifier: MIT
-- Autovacuum beside an import into a zone of a million names took up to a quarter of what PostgreSQL did in all, and told nobody anything.
-- Locks: each table against other schema changes, for a moment; the toast tables likewise.

-- Every query finds its rows by a key, so the planner needs to know little: 3,000 rows of a table, each from a page of its own, tell it enough.
-- Octets and arrays that no index holds are not looked at.
do $$
declare
    big constant regclass[] := '{registry.identity, registry.credential, registry.event, registry.dirty_batch, published.node, published.batch}';
    payload constant regtype[] := '{bytea, jsonb, uuid[], integer[], bigint[], published.rr_types}';
    part record;
begin
    for part in
        select a.attrelid::regclass as relation, a.attname as name, a.atttypid = any (payload)
               and not exists (select from pg_index i where i.indrelid = a.attrelid and a.attnum = any (i.indkey)) as is_payload
        from pg_attribute a
        where a.attnum > 0 and not a.attisdropped
          and (a.attrelid = any (big) or a.attrelid in (select inhrelid from pg_inherits where inhparent = 'published.version'::regclass))
    loop
        execute format('alter table %s alter column %I set statistics %s', part.relation, part.name, case when part.is_payload then 0 else 10 end);
    end loop;
end $$;
-- As are the values of the one expression that is indexed.
alter index published.node_sweep alter column 2 set statistics 10;

-- One row a name changes with each name that is enrolled, in place: pages are pruned by who writes them next, and what is left for vacuum can wait.
alter table published.node set (autovacuum_vacuum_scale_factor = 0.2, autovacuum_analyze_scale_factor = 0.2);
alter table registry.identity set (autovacuum_analyze_scale_factor = 0.2);
alter table registry.credential set (autovacuum_analyze_scale_factor = 0.2);

-- A slot of the journal is emptied whole: to mark its pages as visible is for nothing.
do $$
begin
    for number in 0 .. 7 loop
        execute format('alter table published.version_%s reset (autovacuum_vacuum_insert_scale_factor)', number);
        execute format('alter table published.version_%s set (autovacuum_vacuum_insert_threshold = -1, toast.autovacuum_vacuum_insert_threshold = -1)', number);
    end loop;
end $$;
