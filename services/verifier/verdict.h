// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/core/dns/name.h"
#include "services/core/dns/rr_type.h"

namespace idzone::verifier {

/// What DNS says of a name and a key. Only kMatch lets a peer in.
enum class Verdict {
  kMatch,        // secure, and the key is one of the records'
  kNoMatch,      // secure, but the key is another one, or no record can be used
  kRecord,       // secure records, and no key was given to compare
  kNoRecord,     // proved: there is no such record at the name, or no such name
  kInsecure,     // an answer that nothing vouches for
  kBogus,        // an answer that fails validation: forged, expired or badly signed
  kUnreachable,  // no answer within the deadline, or a server's failure
};

/// Returns "match", "no-match", "record", "no-record", "insecure", "bogus" or "unreachable".
std::string_view VerdictName(Verdict verdict);

struct Finding {
  Verdict verdict = Verdict::kUnreachable;
  dns::Name name;
  /// Of the records that were asked for.
  dns::RrType type = dns::RrType::kTlsa;
  /// For people: why it is so.
  std::string why;
  /// Their RDATA; empty unless the verdict is kMatch, kNoMatch, kRecord or kInsecure.
  std::vector<Octets> records;
  /// With kNoRecord: the name itself does not exist (NXDOMAIN), rather than only the record (NODATA).
  bool name_absent = false;
  /// How long the answer may be used, seconds; 0 unless it is secure.
  std::uint32_t ttl_seconds = 0;
};

}  // namespace idzone::verifier
