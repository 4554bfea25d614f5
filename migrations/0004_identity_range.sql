-- SPDX-License-Identifier: MIT
-- The whole range of identities: users, services, SSH and OpenPGP keys beside certificates; several keys an identity;
-- structured ids and private labels; certification authorities; NSEC and Ed25519 as a namespace's choice.
-- Locks: takes each table exclusively for a moment; added checks read identity, credential and node once.

-- layout_kind: 1 flat, 2 tree, 3 enum. layout_form, for enum: 1 digits, 2 nibbles, 3 EUI-48, 4 EUI-64, 5 IMEI, 6 GS1, 7 E.164.
-- profile 5 = 3 0 0. labels: 1 clear, 2 private, 3 each identity's choice. sealed_secret: makes private labels; sealed by
-- provisiond's key-encryption key. denial: 1 NSEC3, 2 NSEC. algorithm: 13 ECDSA P-256, 15 Ed25519.
-- wildcard_ca: one usage-2 record at `*` and nothing else. mail_records: SMIMEA or OPENPGPKEY records.
alter table registry.namespace
    drop constraint namespace_layout_kind_check,
    drop constraint namespace_profile_check,
    drop constraint namespace_check,
    add column layout_form   smallint not null default 0,
    add column labels        smallint not null default 1 check (labels in (1, 2, 3)),
    add column sealed_secret bytea check (octet_length(sealed_secret) between 1 and 255),
    add column denial        smallint not null default 1 check (denial in (1, 2)),
    add column algorithm     smallint not null default 13 check (algorithm in (13, 15)),
    add column wildcard_ca   boolean not null default false,
    add column mail_records  boolean not null default false,
    add constraint namespace_layout_kind_check check (layout_kind in (1, 2, 3)),
    add constraint namespace_profile_check check (profile in (1, 2, 3, 4, 5)),
    add constraint namespace_width_check check (layout_width between 0 and 3 and (layout_kind = 2 or layout_width = 0)),
    add constraint namespace_form_check check ((layout_kind = 3 and layout_form between 1 and 7) or (layout_kind <> 3 and layout_form = 0)),
    add constraint namespace_secret_check check ((labels <> 1) = (sealed_secret is not null)),
    add constraint namespace_private_check check (labels = 1 or layout_kind <> 3),
    add constraint namespace_wildcard_check check (not wildcard_ca or (layout_kind = 1 and labels = 1));

-- label: the private label, when the owner name does not show the id.
alter table registry.identity
    drop constraint identity_subject_check,
    add constraint identity_subject_check check (octet_length(subject) between 1 and 255),
    add column label text check (label ~ '^[0-9a-v]{32}$'),
    add constraint identity_label unique (namespace_id, label);

-- An identity may have several keys. batch_id and added_at: of a key that was added later; unset for the first ones.
-- rr_type: 44 SSHFP, 52 TLSA, 53 SMIMEA, 61 OPENPGPKEY. SSHFP: RSA, ECDSA, Ed25519 or Ed448, by SHA-256 alone.
alter table registry.credential
    drop constraint credential_rr_type_check,
    drop constraint credential_rdata_check,
    add column batch_id bigint,
    add column added_at timestamptz,
    add constraint credential_rdata_check check (octet_length(rdata) <= 4096 and case rr_type
        when 44 then octet_length(rdata) = 34 and get_byte(rdata, 0) in (1, 3, 4, 6) and get_byte(rdata, 1) = 2
        when 52 then octet_length(rdata) >= 5 and get_byte(rdata, 0) = 3
        when 53 then octet_length(rdata) >= 5 and get_byte(rdata, 0) in (2, 3)
        when 61 then octet_length(rdata) >= 1
        else false end);

-- A key that left its identity while the identity stays. Like a revocation: an insert, never deleted.
create table registry.retirement (
    namespace_id  integer not null,
    fingerprint   bytea not null,
    identity_id   uuid not null references registry.identity,
    batch_id      bigint not null,
    reason        text not null check (length(reason) <= 200),
    retired_at    timestamptz not null default now(),
    primary key (namespace_id, fingerprint),
    foreign key (namespace_id, fingerprint) references registry.credential
);

-- A namespace's certification authority: a usage-2 TLSA record at the apex of `_user` namespaces, at `*` of wildcard ones.
-- At most one at a time; one that was removed never comes back.
create table registry.authority (
    namespace_id    integer not null references registry.namespace,
    fingerprint     bytea not null check (octet_length(fingerprint) = 32),
    rdata           bytea not null check (octet_length(rdata) between 5 and 4096 and get_byte(rdata, 0) = 2),
    batch_id        bigint not null,
    set_at          timestamptz not null default now(),
    removed_at      timestamptz,
    removed_batch_id bigint,
    primary key (namespace_id, fingerprint),
    check ((removed_at is null) = (removed_batch_id is null))
);
create unique index authority_current on registry.authority (namespace_id) where removed_at is null;

-- about_authority: the batch is about the namespace's authority; its one identity id stands for it.
alter table registry.dirty_batch add column about_authority boolean not null default false;

-- What the feed tells the edges of a zone; NSEC zones have keys and next names of other lengths.
alter table published.zone add column denial smallint not null default 1 check (denial in (1, 2));
alter table published.node
    drop constraint node_denial_key_check,
    drop constraint node_next_key_check,
    add constraint node_denial_key_check check (octet_length(denial_key) between 1 and 255),
    add constraint node_next_key_check check (octet_length(next_key) between 1 and 255);

grant insert on registry.retirement, registry.authority to idzone_provisiond;
grant select on registry.retirement, registry.authority to idzone_provisiond, idzone_signerd;
grant update (removed_at, removed_batch_id) on registry.authority to idzone_provisiond;
