-- SPDX-License-Identifier: MIT
-- A revoked name may live again, with a new key, once nobody can be shown its old record any more: identities have lives.
-- Locks: registry.revocation exclusively while its primary key is built again, a second for a million revocations.

-- Each revocation ends one life of an identity, the first one being 1.
alter table registry.revocation
    drop constraint revocation_pkey,
    add column life smallint not null default 1 check (life >= 1),
    add primary key (identity_id, life);

-- Begins the life after `ended_life`. An insert of its own, never deleted; the revocation stays.
create table registry.reenrollment (
    identity_id   uuid not null,
    ended_life    smallint not null,
    namespace_id  integer not null references registry.namespace,
    batch_id      bigint not null,
    enrolled_at   timestamptz not null default now(),
    primary key (identity_id, ended_life),
    foreign key (identity_id, ended_life) references registry.revocation (identity_id, life)
);

-- Until when what a batch took out of a zone may still be believed somewhere: written with the version that took it out.
-- One row a batch of revocations, kept like these.
create table published.quarantine (
    batch_id      bigint primary key,
    namespace_id  integer not null references registry.namespace,
    ends_at       timestamptz not null
);
create index quarantine_end on published.quarantine (namespace_id, ends_at);

-- What was revoked before this table was there: as if it had been published a moment ago.
insert into published.quarantine (batch_id, namespace_id, ends_at)
select distinct on (r.batch_id) r.batch_id, r.namespace_id,
       now() + case n.policy when 'fast' then interval '5 hours' when 'standard' then interval '81 hours' else interval '11 days 1 hour' end
  from registry.revocation r join registry.namespace n using (namespace_id)
 where not exists (select 1 from registry.dirty_batch d where d.batch_id = r.batch_id);

-- role 4: may enroll what was revoked, and nothing else.
alter table registry.principal
    drop constraint principal_role_check,
    add constraint principal_role_check check (role in (1, 2, 3, 4));

grant select, insert on registry.reenrollment to idzone_provisiond;
grant select on registry.reenrollment to idzone_signerd;
grant select on published.quarantine to idzone_provisiond;
grant select, insert, update (ends_at) on published.quarantine to idzone_signerd;
