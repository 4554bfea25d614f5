-- SPDX-License-Identifier: MIT
-- The journal is a ring of eight slots: versions go into the current one, and the oldest is emptied, whole, to become the next.
-- To delete versions one by one cost as much as to write them: each is half a megabyte under load, in three hundred pieces.
-- Locks: published.version exclusively, for as long as a new key over its rows is built; their deltas are not touched.

-- Where new versions go, and since when.
create table published.journal (
    only_row  boolean primary key default true check (only_row),
    slot      smallint not null check (slot between 0 and 7),
    began_at  timestamptz not null default now()
) with (fillfactor = 50);
insert into published.journal (slot) values (0);
create function published.journal_slot() returns smallint language sql stable
    as 'select j.slot from published.journal j';

alter table published.version rename to version_0;
alter table published.version_0
    drop constraint version_zone_id_fkey,
    drop constraint version_pkey,
    add column slot smallint not null default 0;
-- As it was in 0002_published.sql. One zone's versions are ordered by its row lock; a slot is part of the key because it has to be.
create table published.version (
    zone_id          integer not null,
    epoch            bigint not null,
    serial           bigint not null,
    previous_serial  bigint not null,
    previous_digest  bytea not null,
    digest           bytea not null constraint version_digest_check check (octet_length(digest) = 32),
    rr_types         published.rr_types not null,
    delta            bytea not null,
    created_at       timestamptz not null default now(),
    slot             smallint not null default published.journal_slot(),
    primary key (zone_id, epoch, serial, slot)
) partition by list (slot);
alter table published.version alter column delta set storage external;
alter table published.version attach partition published.version_0 for values in (0);

do $$
begin
    for number in 1 .. 7 loop
        execute format('create table published.version_%s partition of published.version for values in (%s)', number, number);
        execute format('alter table published.version_%s alter column delta set storage external', number);
    end loop;
    for number in 0 .. 7 loop
        execute format('revoke all on published.version_%s from idzone_provisiond, idzone_signerd, idzone_feedd', number);
        execute format('grant truncate on published.version_%s to idzone_signerd', number);
        -- A slot is emptied before it can hold many dead rows; what vacuum has to do is mark pages as visible.
        execute format('alter table published.version_%s set (autovacuum_vacuum_insert_scale_factor = 0.5)', number);
    end loop;
end $$;

grant select on published.version to idzone_provisiond, idzone_signerd, idzone_feedd;
grant insert on published.version to idzone_signerd;
grant select on published.journal to idzone_provisiond, idzone_signerd, idzone_feedd;
grant update on published.journal to idzone_signerd;
