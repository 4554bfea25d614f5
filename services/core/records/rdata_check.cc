// SPDX-License-Identifier: MIT
#include "services/core/records/rdata_check.h"

#include "services/core/identity/openpgp_key.h"
#include "services/core/records/profile.h"
#include "services/core/records/sshfp.h"

namespace idzone::records {
namespace {

Result<void> CheckOpenPgpKey(OctetsView rdata) {
  const auto key = identity::OpenPgpKey::FromPackets(rdata);
  if (!key) return Fail(Reason::kRecordMalformed, "OPENPGPKEY", key.error().expected, key.error().met);
  if (key->rdata() != rdata) return Fail(Reason::kRecordMalformed, "OPENPGPKEY", "no trust and marker packets", "some");
  return {};
}

}  // namespace

Result<void> CheckRdata(dns::RrType type, OctetsView rdata) {
  switch (type) {
    case dns::RrType::kSshfp: return CheckSshfp(rdata);
    case dns::RrType::kTlsa: return CheckTlsa(rdata);
    case dns::RrType::kSmimea: return CheckSmimea(rdata);
    case dns::RrType::kOpenPgpKey: return CheckOpenPgpKey(rdata);
    default: return Fail(Reason::kRecordTypeForbidden, "type", "SSHFP, TLSA, SMIMEA or OPENPGPKEY", dns::RrTypeName(type));
  }
}

}  // namespace idzone::records
