-- SPDX-License-Identifier: MIT
-- Policies of one's own beside the built-in three, and what `zone status` tells.
-- Locks: registry.namespace exclusively while its policies are checked against the new table.

-- Times in seconds. Never changed: a namespace's policy is fixed, and so is what it says. services/core/zone/policy.h has the rules.
create table registry.policy (
    name             text primary key check (name ~ '^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$'),
    built_in         boolean not null default false,
    ttl              integer not null check (ttl between 1 and 86400 and ttl <= identity_resign),
    negative_ttl     integer not null check (negative_ttl between 1 and 10800 and negative_ttl <= denial_resign),
    apex_ttl         integer not null check (apex_ttl between 1 and 86400 and apex_ttl <= apex_resign),
    identity_life    integer not null check (identity_life between 3 * identity_resign and 2592000),
    identity_resign  integer not null check (identity_resign >= 600),
    denial_life      integer not null check (denial_life between 3 * denial_resign and 2592000),
    denial_resign    integer not null check (denial_resign >= 600),
    apex_life        integer not null check (apex_life between 3 * apex_resign and 2592000),
    apex_resign      integer not null check (apex_resign >= 600),
    soa_refresh      integer not null check (soa_refresh >= 1),
    soa_retry        integer not null check (soa_retry >= 1),
    soa_expire       integer not null check (soa_expire >= 2 * (soa_refresh + soa_retry)
                         and soa_expire <= least(identity_life - identity_resign, denial_life - denial_resign, apex_life - apex_resign)),
    created_at       timestamptz not null default now()
);
insert into registry.policy (name, built_in, ttl, negative_ttl, apex_ttl, identity_life, identity_resign, denial_life, denial_resign,
                             apex_life, apex_resign, soa_refresh, soa_retry, soa_expire) values
    ('fast', true, 60, 60, 3600, 10800, 3600, 10800, 3600, 10800, 3600, 600, 150, 7200),
    ('standard', true, 300, 300, 3600, 259200, 86400, 259200, 86400, 259200, 86400, 3600, 900, 172800),
    ('relaxed', true, 3600, 300, 3600, 864000, 259200, 864000, 259200, 864000, 259200, 14400, 3600, 604800);

alter table registry.namespace
    drop constraint namespace_policy_check,
    add constraint namespace_policy foreign key (policy) references registry.policy;

-- When the first signature of the nodes behind the sweep expires, and of those ahead of it, as the sweep left them in its last round.
-- What changed in between was signed later. So the lesser of the two is never later than the first expiry in the zone.
alter table published.zone
    add column expires_behind timestamptz,
    add column expires_ahead  timestamptz;
update published.zone z
   set expires_ahead = z.resign_round + make_interval(secs => p.identity_life - 3 * p.identity_resign / 2)
  from registry.namespace n join registry.policy p on p.name = n.policy where n.namespace_id = z.namespace_id;

-- What keeps a signer from its work: one row a namespace and reason, 0 for all of them. Written again while it lasts.
create table published.alarm (
    namespace_id  integer not null,
    reason        text not null,
    detail        text not null,
    raised_at     timestamptz not null default now(),
    reported_at   timestamptz not null default now(),
    primary key (namespace_id, reason)
);
grant select, insert, delete on published.alarm to idzone_signerd;
grant update (detail, reported_at) on published.alarm to idzone_signerd;
grant select on published.alarm to idzone_provisiond;

grant select on registry.policy to idzone_signerd;
grant select, insert on registry.policy to idzone_provisiond;
