// SPDX-License-Identifier: MIT
#include "services/verifier/openpgp_match.h"

namespace idzone::verifier {

Match MatchOpenPgp(const std::vector<Octets>& rdatas, const identity::OpenPgpKey& key) {
  Match match;
  std::string unusable;
  for (const Octets& rdata : rdatas) {
    const Result<identity::OpenPgpKey> record = identity::OpenPgpKey::FromPackets(rdata);
    if (!record) {
      unusable = "a record cannot be used: " + record.error().Detail();
      continue;
    }
    ++match.usable;
    if (record->fingerprint() != key.fingerprint()) continue;
    match.matched = true;
    match.why = "the key's primary key is that of an OPENPGPKEY record";
    return match;
  }
  if (match.usable > 0) {
    match.why = "the key is another one than the records hold";
  } else {
    match.why = unusable.empty() ? "there is no record" : unusable;
  }
  return match;
}

}  // namespace idzone::verifier
