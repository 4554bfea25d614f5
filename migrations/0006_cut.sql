-- SPDX-License-Identifier: MIT
-- Zone cuts: a namespace has many zones, which share its key. Those of a tree follow from its width; those of an enum namespace
-- are wanted by command, one row each.
-- Locks: takes each table exclusively for a moment; published.zone is rewritten, which has few rows.

-- has_cuts: each prefix of the tree is a zone of its own. Trees that were made before keep the one zone that they have.
alter table registry.namespace
    add column has_cuts boolean not null default false,
    add constraint namespace_cuts_check check (not has_cuts or (layout_kind = 2 and layout_width > 0));

-- The cuts of enum namespaces. number: 1, 2, … within the namespace, in the order in which they are made, and given under a lock,
-- so that they are seen in that order. name: the child zone, wire form. prefix: the digits that its ids begin with.
create table registry.cut (
    namespace_id  integer not null references registry.namespace,
    number        integer not null check (number >= 1),
    name          bytea not null unique check (octet_length(name) between 3 and 222),
    prefix        text not null check (length(prefix) between 1 and 64),
    requested_at  timestamptz not null default now(),
    primary key (namespace_id, number),
    unique (namespace_id, prefix)
);

-- parent_id: the zone that delegates to this one; none: the external parent does. cuts_made, of a namespace's own zone: how many of
-- its cuts exist. renew_at: when something in the zone has to be signed again next.
alter table published.zone
    add column parent_id integer references published.zone,
    add column cuts_made integer not null default 0 check (cuts_made >= 0),
    add column renew_at  timestamptz not null default now();
create index zone_renewal on published.zone (renew_at);

-- One batch may move several zones: where each stood then, in three arrays of one length. zone_id, epoch and serial are the first
-- of them.
alter table published.batch
    add column zone_ids integer[],
    add column epochs   bigint[],
    add column serials  bigint[],
    add constraint batch_zones_check check (cardinality(zone_ids) = cardinality(epochs) and cardinality(zone_ids) = cardinality(serials));

grant insert on registry.cut to idzone_provisiond;
grant select on registry.cut to idzone_provisiond, idzone_signerd;
