-- SPDX-License-Identifier: MIT
-- A key set may belong to one zone instead of to all zones of its namespace, and keys may be rolled by a schedule: both by policy.
-- Locks: published.key, published.keyset and registry.key_command exclusively while their constraints and columns change.

-- key_scope: 1 the zones of a namespace share its keys, 2 each has its own. key_scheme: 1 one key, 2 a KSK and a ZSK.
-- key_life, zsk_life: seconds after which keys are rolled, zsk_life of a ZSK; 0: never. services/core/zone/policy.h has the rules.
alter table registry.policy
    add column key_scope   smallint not null default 1 check (key_scope in (1, 2)),
    add column key_scheme  smallint not null default 1 check (key_scheme in (1, 2)),
    add column key_life    bigint not null default 0 check (key_life between 0 and 315360000),
    add column zsk_life    bigint not null default 0 check (zsk_life between 0 and 315360000 and (zsk_life = 0 or key_scheme = 2));

-- zone_id: whose keys they are; 0: of all zones of the namespace. A tag is one key's within its set.
alter table published.key
    add column zone_id integer not null default 0,
    drop constraint key_namespace_id_key_tag_key,
    add constraint key_tag_of_keyset unique (namespace_id, zone_id, key_tag);

-- keys_due_at, zsk_due_at: when the schedule rolls them next; null: never.
alter table published.keyset
    add column zone_id      integer not null default 0,
    add column keys_due_at  timestamptz,
    add column zsk_due_at   timestamptz,
    drop constraint keyset_pkey,
    add primary key (namespace_id, zone_id);

-- What the signer looks for each second, however many sets there are.
create index keyset_moving on published.keyset (namespace_id, zone_id) where style is not null or revision > settled_revision;
create index keyset_due on published.keyset (least(keys_due_at, zsk_due_at)) where style is null;

-- The parent's version in which the cut got the DS records of the revision, where a zone has keys of its own.
alter table published.zone_keys
    add column cut_epoch   bigint not null default 0,
    add column cut_serial  bigint not null default 0;

-- Where edges stand is looked for by zone, for each set.
create index edge_position_zone on published.edge_position (zone_id);

-- One row a set that the command is for.
alter table registry.key_command add column zone_id integer not null default 0;
create index key_command_keyset on registry.key_command (namespace_id, zone_id);
