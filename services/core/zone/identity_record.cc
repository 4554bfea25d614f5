// SPDX-License-Identifier: MIT
#include "services/core/zone/identity_record.h"

#include "services/core/identity/openpgp_key.h"
#include "services/core/records/sshfp.h"

namespace idzone::zone {
namespace {

using identity::MaterialKind;

tl::unexpected<Error> Mismatch(std::string expected, std::string met) {
  return Fail(Reason::kNamespaceKindMismatch, "material", std::move(expected), std::move(met));
}

MaterialKind MaterialKindOf(OfferedKind offered) {
  switch (offered) {
    case OfferedKind::kCertificate: return MaterialKind::kCertificate;
    case OfferedKind::kCertificateRequest: return MaterialKind::kCertificateRequest;
    case OfferedKind::kPublicKey: return MaterialKind::kPublicKey;
    case OfferedKind::kSshPublicKey: return MaterialKind::kSshPublicKey;
    case OfferedKind::kOpenPgpKey: break;
  }
  InvariantBroken("OpenPGP keys are read by a parser of their own", __FILE__, __LINE__);
}

Result<IdentityKeyRecord> MakeOpenPgpRecord(OctetsView octets) {
  const auto key = identity::OpenPgpKey::Parse(octets);
  if (!key) return tl::unexpected(key.error());
  return IdentityKeyRecord{key->fingerprint(), dns::RrType::kOpenPgpKey, key->rdata()};
}

}  // namespace

Result<IdentityKeyRecord> MakeIdentityRecord(NamespaceKind kind, records::RecordProfile profile, OfferedKind offered, OctetsView octets) {
  if (kind == NamespaceKind::kMailKey) {
    if (offered != OfferedKind::kOpenPgpKey)
      return Mismatch("an openpgp_key, for the namespace publishes OPENPGPKEY", "another kind of key");
    return MakeOpenPgpRecord(octets);
  }
  if (offered == OfferedKind::kOpenPgpKey)
    return Mismatch("no openpgp_key, for only _openpgpkey namespaces publish OPENPGPKEY", "an OpenPGP key");
  if (kind == NamespaceKind::kMailCertificate && offered == OfferedKind::kSshPublicKey)
    return Mismatch("a certificate, for the namespace publishes SMIMEA", "an SSH key");
  const auto key = identity::KeyMaterial::Parse(MaterialKindOf(offered), octets);
  if (!key) return tl::unexpected(key.error());
  const bool ssh = offered == OfferedKind::kSshPublicKey;
  auto rdata = ssh ? records::MakeSshfp(*key) : records::MakeTlsa(profile, *key);
  if (!rdata) return tl::unexpected(rdata.error());
  const dns::RrType certified = kind == NamespaceKind::kMailCertificate ? dns::RrType::kSmimea : dns::RrType::kTlsa;
  return IdentityKeyRecord{key->fingerprint(), ssh ? dns::RrType::kSshfp : certified, std::move(*rdata)};
}

}  // namespace idzone::zone
