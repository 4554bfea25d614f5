-- SPDX-License-Identifier: MIT
-- The registry: who may do what, which namespaces and identities exist, and what the signer has to look at again.
-- Written by idzone-provisiond; read by idzone-signerd, which also takes dirty batches.
-- Locks: creates new objects only.

create schema registry;

create table registry.operator (
    operator_id   text primary key check (operator_id ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    display_name  text not null check (length(display_name) between 1 and 200),
    created_at    timestamptz not null default now()
);

-- A caller: a certificate's key, so that renewing the certificate changes nothing. role: 1 admin, 2 enroller, 3 auditor.
create table registry.principal (
    fingerprint   bytea primary key check (octet_length(fingerprint) = 32),
    operator_id   text not null references registry.operator,
    display_name  text not null check (length(display_name) between 1 and 200),
    role          smallint not null check (role in (1, 2, 3)),
    disabled_at   timestamptz,
    created_at    timestamptz not null default now()
);

-- name: wire form, lower case. layout_kind: 1 flat, 2 tree. profile: 1 = 3 1 1, 2 = 3 1 2, 3 = 3 0 1, 4 = 3 1 0.
-- name_servers: presentation form, fully qualified, lower case; the first is the primary of the SOA record.
create table registry.namespace (
    namespace_id  integer generated always as identity primary key,
    name          bytea not null unique check (octet_length(name) between 3 and 222),
    name_text     text not null unique,
    operator_id   text not null references registry.operator,
    layout_kind   smallint not null check (layout_kind in (1, 2)),
    layout_width  smallint not null check (layout_width between 0 and 3 and (layout_kind = 2 or layout_width = 0)),
    policy        text not null check (policy in ('fast', 'standard', 'relaxed')),
    profile       smallint not null check (profile in (1, 2, 3, 4)),
    name_servers  text[] not null check (cardinality(name_servers) between 1 and 13),
    created_at    timestamptz not null default now()
);

-- batch_id: the dirty batch in which the identity was enrolled; published.batch tells the version that published it.
-- The primary key is the natural key: the first 16 octets of SHA-256(namespace wire name · subject).
create table registry.identity (
    identity_id   uuid primary key,
    namespace_id  integer not null references registry.namespace,
    subject       text not null check (octet_length(subject) between 1 and 63),
    batch_id      bigint not null,
    enrolled_at   timestamptz not null default now(),
    unique (namespace_id, subject)
);

-- fingerprint: SHA-256 of the SPKI. One key belongs to one identity of a namespace, for ever, also after revocation.
-- rr_type 52 TLSA; rdata: wire form, made by the server.
create table registry.credential (
    namespace_id  integer not null,
    fingerprint   bytea not null check (octet_length(fingerprint) = 32),
    identity_id   uuid not null references registry.identity,
    rr_type       smallint not null check (rr_type = 52),
    rdata         bytea not null check (octet_length(rdata) between 5 and 4096 and get_byte(rdata, 0) in (2, 3)),
    primary key (namespace_id, fingerprint)
);
create index credential_identity on registry.credential (identity_id);

-- A revocation is an insert of its own: it waits for no lock that an enrollment holds, and nothing ever deletes it.
create table registry.revocation (
    identity_id   uuid primary key,
    namespace_id  integer not null,
    batch_id      bigint not null,
    reason        text not null check (length(reason) <= 200),
    revoked_at    timestamptz not null default now()
);

-- What the signer has to look at again: one row a batch. kind: 1 revocation (first in line), 2 enrollment.
create sequence registry.batch_id as bigint;
create table registry.dirty_batch (
    batch_id      bigint primary key,
    namespace_id  integer not null,
    kind          smallint not null check (kind in (1, 2)),
    identity_ids  uuid[] not null check (cardinality(identity_ids) between 1 and 1000),
    created_at    timestamptz not null default now()
);
create index dirty_batch_order on registry.dirty_batch (namespace_id, kind, batch_id);

-- The audit log: one row a batch or command.
create table registry.event (
    event_id      bigint generated always as identity primary key,
    occurred_at   timestamptz not null default now(),
    fingerprint   bytea not null,
    operator_id   text not null,
    kind          text not null,
    namespace_id  integer,
    identity_ids  uuid[],
    detail        jsonb not null default '{}'
);

-- A DNS host that follows the zones, known by its certificate's key.
create table registry.edge (
    edge_id       text primary key check (edge_id ~ '^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$'),
    fingerprint   bytea not null unique check (octet_length(fingerprint) = 32),
    created_at    timestamptz not null default now()
);

-- Queues live by deletion: vacuum them early.
alter table registry.dirty_batch set (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);
