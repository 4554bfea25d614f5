// SPDX-License-Identifier: MIT
#include "services/verifier/verdict.h"

namespace idzone::verifier {

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kMatch: return "match";
    case Verdict::kNoMatch: return "no-match";
    case Verdict::kRecord: return "record";
    case Verdict::kNoRecord: return "no-record";
    case Verdict::kInsecure: return "insecure";
    case Verdict::kBogus: return "bogus";
    case Verdict::kUnreachable: return "unreachable";
  }
  InvariantBroken("a verdict is one of the seven", __FILE__, __LINE__);
}

}  // namespace idzone::verifier
