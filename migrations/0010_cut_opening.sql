-- SPDX-License-Identifier: MIT
-- When a cut of an enum namespace was open for enrollment; and the zones of a namespace are found by an index.
-- Locks: takes registry.cut exclusively for a moment; published.zone against writes while the index is built, which has few rows.
alter table registry.cut add column opened_at timestamptz;
create index zone_namespace on published.zone (namespace_id);

grant update (opened_at) on registry.cut to idzone_provisiond;
