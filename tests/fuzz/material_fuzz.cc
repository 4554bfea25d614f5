// SPDX-License-Identifier: MIT
// What clients send as keys: certificates, requests, bare keys, SSH and OpenPGP keys. The first octet chooses.
#include "services/core/identity/authority.h"
#include "services/core/identity/key_material.h"
#include "services/core/identity/openpgp_armor.h"
#include "services/core/identity/openpgp_key.h"
#include "services/core/identity/plain_p256.h"
#include "services/core/identity/ssh_key.h"
#include "services/core/identity/subject.h"
#include "services/core/records/profile.h"
#include "services/core/records/sshfp.h"
#include "tests/fuzz/fuzz_target.h"

using namespace idzone;

namespace {

void TryMaterial(identity::MaterialKind kind, OctetsView input) {
  const auto material = identity::KeyMaterial::Parse(kind, input);
  if (!material) return;
  for (const char* text : {"3 1 1", "3 1 2", "3 0 1", "3 1 0", "3 0 0"}) {
    const auto profile = records::ParseProfile(text);
    IDZONE_INVARIANT(profile.has_value(), "the profile is one");
    const auto rdata = records::MakeTlsa(*profile, *material);
    if (rdata) IDZONE_INVARIANT(records::CheckTlsa(*rdata).has_value(), "what is made of a key is a TLSA record");
  }
  const auto sshfp = records::MakeSshfp(*material);
  if (sshfp) IDZONE_INVARIANT(records::CheckSshfp(*sshfp).has_value(), "what is made of a key is an SSHFP record");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const OctetsView input = fuzz::ViewOf(data + 1, size - 1);
  switch (data[0] % 8) {
    case 0: TryMaterial(identity::MaterialKind::kCertificate, input); break;
    case 1: TryMaterial(identity::MaterialKind::kCertificateRequest, input); break;
    case 2: TryMaterial(identity::MaterialKind::kPublicKey, input); break;
    case 3: TryMaterial(identity::MaterialKind::kSshPublicKey, input); break;
    case 4: static_cast<void>(identity::ParseAuthority(input)); break;
    case 5: static_cast<void>(identity::OpenPgpKey::Parse(input)); break;
    case 6:
      if (identity::IsArmored(input)) static_cast<void>(identity::Dearmor(input));
      static_cast<void>(identity::OpenPgpKey::FromPackets(input));
      break;
    default:
      static_cast<void>(identity::ParseSshKey(input));
      static_cast<void>(identity::PlainP256Of(input));
      break;
  }
  return 0;
}
