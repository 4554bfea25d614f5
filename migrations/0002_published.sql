-- SPDX-License-Identifier: MIT
-- What the world may see: zones, their nodes, and the journal of versions. Written by idzone-signerd alone; the feed
-- writes only where its edges stand.
-- Locks: creates new objects only.

create schema published;

-- The allow-list of RR types, third copy after the code's (services/core/dns/rr_type.h) and the replica's:
-- NS SOA DS SSHFP DNSKEY NSEC3PARAM TLSA SMIMEA CDS CDNSKEY OPENPGPKEY.
create domain published.rr_types as smallint[]
    check (value <@ '{2,6,43,44,48,51,52,53,59,60,61}'::smallint[]);

create table published.key (
    key_id        bytea primary key check (octet_length(key_id) = 32),
    namespace_id  integer not null references registry.namespace,
    algorithm     smallint not null check (algorithm in (13, 15)),
    key_tag       integer not null check (key_tag between 0 and 65535),
    dnskey        bytea not null,
    created_at    timestamptz not null default now(),
    unique (namespace_id, key_tag)
);

-- One row a zone; updated once for each version, under its row lock, which orders a zone's versions.
-- resign_key: how far the re-signing sweep has come in hash order; resign_round: when this round began.
create table published.zone (
    zone_id         integer generated always as identity primary key,
    namespace_id    integer not null references registry.namespace,
    name            bytea not null unique,
    name_text       text not null unique,
    epoch           bigint not null check (epoch between 1 and 4294967295),
    serial          bigint not null check (serial between 1 and 4294967295),
    digest          bytea not null check (octet_length(digest) = 32),
    node_count      bigint not null check (node_count >= 1),
    resign_key      bytea not null default ''::bytea,
    resign_round    timestamptz not null default now(),
    last_signed_at  timestamptz not null,
    created_at      timestamptz not null default now()
) with (fillfactor = 50);

-- The current state: one row an owner name. Rewritten in place by signing again, so no index holds anything that changes.
-- rrsets, next_key, denial_rrsig: services/core/zone/node.h. rr_types repeats the types in rrsets, for the CHECK.
-- child_count: how many nodes have this one as their parent name; an empty non-terminal lives while it is above 0.
create table published.node (
    zone_id       integer not null references published.zone,
    denial_key    bytea not null check (octet_length(denial_key) = 20),
    owner         bytea not null check (octet_length(owner) between 1 and 255),
    child_count   integer not null check (child_count >= 0),
    rr_types      published.rr_types not null,
    rrsets        bytea not null,
    next_key      bytea not null check (octet_length(next_key) = 20),
    denial_rrsig  bytea not null,
    primary key (zone_id, denial_key),
    check (cardinality(rr_types) > 0 or child_count > 0)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

-- The journal, append-only. delta: services/core/zone/node.h; digest: services/core/zone/version.h.
create table published.version (
    zone_id          integer not null references published.zone,
    epoch            bigint not null,
    serial           bigint not null,
    previous_serial  bigint not null,
    previous_digest  bytea not null,
    digest           bytea not null check (octet_length(digest) = 32),
    rr_types         published.rr_types not null,
    delta            bytea not null,
    created_at       timestamptz not null default now(),
    primary key (zone_id, epoch, serial)
);
alter table published.version alter column delta set storage external;

-- In which version a dirty batch was published. Pruned with the journal.
create table published.batch (
    batch_id      bigint primary key,
    zone_id       integer not null,
    epoch         bigint not null,
    serial        bigint not null,
    created_at    timestamptz not null default now()
);

-- Where each edge stands in each zone, as it last said itself.
create table published.edge_position (
    edge_id       text not null references registry.edge,
    zone_id       integer not null,
    epoch         bigint not null,
    serial        bigint not null,
    digest        bytea not null,
    reported_at   timestamptz not null default now(),
    primary key (edge_id, zone_id)
) with (fillfactor = 50);
