// SPDX-License-Identifier: MIT
#include "services/verifier/record_text.h"

#include "services/verifier/sshfp_match.h"
#include "services/verifier/tlsa_match.h"

namespace idzone::verifier {

std::string RecordText(dns::RrType type, OctetsView rdata) {
  const std::string name = dns::RrTypeName(type) + ' ';
  switch (type) {
    case dns::RrType::kTlsa:
    case dns::RrType::kSmimea: return name + FormatTlsa(rdata);
    case dns::RrType::kSshfp: return name + FormatSshfp(rdata);
    case dns::RrType::kOpenPgpKey: return name + Base64Encode(rdata);
    default: return name + HexEncode(rdata);
  }
}

}  // namespace idzone::verifier
