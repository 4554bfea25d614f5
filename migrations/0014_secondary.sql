-- SPDX-License-Identifier: MIT
-- Foreign secondaries of transfer hosts: whoever waits until live waits for them, too, and `zone status` tells what they cost.
-- Locks: none that anybody waits for.

-- As each transfer host names them to the feed.
create table published.secondary (
    edge_id                text not null references registry.edge,
    secondary_id           text not null check (secondary_id ~ '^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$'),
    notify_period_seconds  integer not null check (notify_period_seconds between 1 and 3600),
    primary key (edge_id, secondary_id)
);

-- Where each stands in each zone that it serves, as it last said itself. Epoch 0: at a version that is none of the last ones.
create table published.secondary_position (
    edge_id       text not null,
    secondary_id  text not null,
    zone_id       integer not null,
    epoch         bigint not null,
    serial        bigint not null,
    reported_at   timestamptz not null default now(),
    primary key (zone_id, edge_id, secondary_id),
    foreign key (edge_id, secondary_id) references published.secondary on delete cascade
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 500);
create index secondary_position_of on published.secondary_position (edge_id, secondary_id);

grant select, insert, update, delete on published.secondary, published.secondary_position to idzone_feedd;
grant select on published.secondary, published.secondary_position to idzone_provisiond;
