-- SPDX-License-Identifier: MIT
-- SOA EXPIRE bounds for how long a secondary that is cut off goes on answering, and must end before its oldest signature does. The sweep leaves
-- signatures until they are 3/2 + 1/16 of the re-sign period old (zone-signer/README.md), not one period, as it was thought of.
-- Locks: registry.policy, for a moment. Zones take the new value with their next version.

do $$
declare
    old name;
begin
    select conname into strict old from pg_constraint
     where conrelid = 'registry.policy'::regclass and contype = 'c' and pg_get_constraintdef(oid) like '%soa_expire%';
    execute format('alter table registry.policy drop constraint %I', old);
end $$;

update registry.policy
   set soa_expire = least(soa_expire, identity_life - (25 * identity_resign + 15) / 16, denial_life - (25 * denial_resign + 15) / 16);

alter table registry.policy
    add constraint policy_soa_expire check (
        soa_expire >= 2 * (soa_refresh + soa_retry)
        and soa_expire <= least(identity_life - (25 * identity_resign + 15) / 16, denial_life - (25 * denial_resign + 15) / 16,
                                apex_life - apex_resign));
