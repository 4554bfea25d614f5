-- SPDX-License-Identifier: MIT
-- Several keys a namespace, and how they are replaced.
-- Locks: published.key exclusively for a moment.

-- role: 1 CSK, 2 KSK, 3 ZSK. state: 1 generated, 2 published, 3 active, 4 retired, 5 removed. uses: 1 the DNSKEY RRset holds it,
-- 2 it signs keys, 4 it signs data, 8 parents publish its DS. part, in the roll under way: 1 comes, 2 leaves.
alter table published.key
    add column role      smallint not null default 1 check (role in (1, 2, 3)),
    add column state     smallint not null default 3 check (state between 1 and 5),
    add column uses      smallint not null default 15 check (uses between 0 and 15),
    add column part      smallint not null default 0 check (part in (0, 1, 2)),
    add column state_at  timestamptz not null default now(),
    add constraint key_removed check ((state = 5) <= (uses = 0 and part = 0));

-- One row a namespace: what its zones are to do with its keys, and the roll under way. Its lock orders the steps of a roll.
-- revision: rises when any key's uses change; data_revision: the last one that changed who signs the data, or the DS records at
-- our own cuts; settled_revision: the last one that all zones and edges are known to have followed.
-- style, phase, waits_for: zone-signer/rollover/roll_state.h, timing.h. *_at of a phase: since when its changes are seen.
-- *_ttl_max: the longest TTLs ever observed, in seconds: of DNSKEY, of all else that is signed, of the parent's DS records.
-- refused: why the last command was; parent_answer: what the parent was seen to publish, at parent_asked_at. For people to read.
create table published.keyset (
    namespace_id     integer primary key references registry.namespace,
    revision         bigint not null default 1,
    data_revision    bigint not null default 1,
    settled_revision bigint not null default 1,
    tell_parent      boolean not null default false,
    style            smallint check (style between 1 and 5),
    algorithm        smallint check (algorithm in (13, 15)),
    roles            smallint[],
    urgent           boolean not null default false,
    phase            smallint check (phase between 1 and 8),
    began_at         timestamptz,
    phase_at         timestamptz,
    published_at     timestamptz,
    resigned_at      timestamptz,
    delegated_at     timestamptz,
    waits_for        smallint not null default 0,
    waits_until      timestamptz,
    refused          text not null default '',
    parent_asked_at  timestamptz,
    parent_answer    text not null default '',
    key_ttl_max      bigint not null default 3600,
    data_ttl_max     bigint not null default 3600,
    ds_ttl_max       bigint not null default 0,
    check ((style is null) = (phase is null) and (style is null) = (began_at is null))
);
insert into published.keyset (namespace_id) select distinct namespace_id from published.key;

-- How far each zone has followed its keyset: the version in which it took a revision, and the sweep that signs its data again.
-- swept_revision: every signature is of that data revision or a later one, since that version. A zone without a row has followed
-- none; a keyset that is settled needs none.
create table published.zone_keys (
    zone_id         integer primary key references published.zone,
    keys_revision   bigint not null default 0,
    keys_epoch      bigint not null default 0,
    keys_serial     bigint not null default 0,
    sweep_revision  bigint not null default 0,
    sweep_place     bytea not null default ''::bytea,
    sweep_began_at  timestamptz not null default 'epoch',
    swept_revision  bigint not null default 0,
    swept_epoch     bigint not null default 0,
    swept_serial    bigint not null default 0
);
-- What operators ask of the signer. kind: 1 begin a roll, 2 the parent publishes what it should.
create table registry.key_command (
    command_id    bigint generated always as identity primary key,
    namespace_id  integer not null references registry.namespace,
    kind          smallint not null check (kind in (1, 2)),
    style         smallint check (style between 1 and 5),
    algorithm     smallint check (algorithm in (13, 15)),
    roles         smallint[],
    urgent        boolean not null default false,
    created_at    timestamptz not null default now(),
    check ((kind = 1) = (style is not null))
);

grant insert, select on registry.key_command to idzone_provisiond;
grant select on published.keyset, published.zone_keys to idzone_provisiond;
grant select, delete on registry.key_command to idzone_signerd;
grant select, insert, update on published.keyset, published.zone_keys to idzone_signerd;
grant update (state, uses, part, state_at) on published.key to idzone_signerd;
-- A roll waits until every edge has what it changed.
grant select on published.edge_position to idzone_signerd;
