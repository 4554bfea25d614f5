-- SPDX-License-Identifier: MIT
-- What operators say of the signer's clock.
-- Locks: creates new objects only.

-- The clock is right, whatever the namespace's last signatures let one think. Holds for an hour. An insert of its own, never deleted.
create table registry.clock_word (
    namespace_id  integer not null references registry.namespace,
    given_at      timestamptz not null default now(),
    reason        text not null check (length(reason) <= 200),
    primary key (namespace_id, given_at)
);

grant select, insert on registry.clock_word to idzone_provisiond;
grant select on registry.clock_word to idzone_signerd;
