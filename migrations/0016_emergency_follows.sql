-- SPDX-License-Identifier: MIT
-- An emergency roll that finds no room for its DNSKEY records begins when the roll under way ends.
-- Locks: published.keyset exclusively, for a moment; no row is rewritten.

alter table published.keyset add column emergency_follows boolean not null default false;
