-- SPDX-License-Identifier: MIT
-- One role a process, each with what its work needs and nothing more. Roles belong to the cluster, so another database
-- may have made them already.
-- Locks: none that matter.

do $$
declare role_name text;
begin
    foreach role_name in array array['idzone_provisiond', 'idzone_signerd', 'idzone_feedd'] loop
        begin
            execute format('create role %I login', role_name);
        exception when duplicate_object or unique_violation then null;
        end;
    end loop;
end $$;

grant usage on schema registry, published to idzone_provisiond, idzone_signerd, idzone_feedd;

-- idzone-provisiond: writes the registry, never deletes, never rewrites an identity, key or revocation.
grant select on all tables in schema registry to idzone_provisiond;
grant insert on registry.operator, registry.principal, registry.namespace, registry.identity, registry.credential,
                registry.revocation, registry.dirty_batch, registry.event, registry.edge to idzone_provisiond;
grant update (disabled_at) on registry.principal to idzone_provisiond;
grant usage on sequence registry.batch_id to idzone_provisiond;
grant select on all tables in schema published to idzone_provisiond;

-- idzone-signerd: reads the registry, takes dirty batches, writes what is published.
grant select on registry.namespace, registry.identity, registry.credential, registry.revocation, registry.dirty_batch
    to idzone_signerd;
grant delete on registry.dirty_batch to idzone_signerd;
-- `for update skip locked` needs a column that may be updated.
grant update (created_at) on registry.dirty_batch to idzone_signerd;
grant select, insert on published.key, published.zone, published.node, published.version, published.batch to idzone_signerd;
grant update, delete on published.node to idzone_signerd;
grant update on published.zone to idzone_signerd;
grant delete on published.version, published.batch to idzone_signerd;

-- idzone-feedd: reads what is published and who its edges are, writes where they stand.
grant select on published.zone, published.node, published.version, published.edge_position to idzone_feedd;
grant select on registry.edge to idzone_feedd;
grant insert, update on published.edge_position to idzone_feedd;
