// SPDX-License-Identifier: MIT
#include "services/verifier/ssh_user.h"

#include "services/verifier/sshfp_match.h"
#include "services/verifier/tlsa_match.h"

namespace idzone::verifier {
namespace {

Finding MakeFinding(Verdict verdict, const dns::Name& name, std::string why) {
  Finding finding;
  finding.verdict = verdict;
  finding.name = name;
  finding.why = std::move(why);
  return finding;
}

}  // namespace

Finding FindSshKey(Verifier& verifier, const std::vector<dns::Name>& names, const identity::KeyMaterial& key,
                   std::chrono::milliseconds deadline) {
  IDZONE_INVARIANT(!names.empty(), "somebody's key is looked for at names");
  struct Question {
    dns::RrType type;
    Matcher matcher;
  };
  const Question questions[] = {
      {dns::RrType::kSshfp, [&key](const std::vector<Octets>& rdatas) { return MatchSshfp(rdatas, key); }},
      {dns::RrType::kTlsa, [&key](const std::vector<Octets>& rdatas) { return MatchTlsa(rdatas, key); }},
  };
  const auto end = std::chrono::steady_clock::now() + deadline;
  Finding telling = MakeFinding(Verdict::kNoRecord, names.front(), "it is proved that there is no record");
  for (const dns::Name& name : names) {
    for (const Question& question : questions) {
      const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      if (rest.count() <= 0)
        return MakeFinding(Verdict::kUnreachable, name, "no answer within " + std::to_string(deadline.count()) + " ms");
      verifier.set_deadline(rest);
      Finding finding = verifier.Ask(name, question.type, question.matcher);
      if (finding.verdict == Verdict::kMatch) return finding;
      if (finding.verdict != Verdict::kNoRecord) telling = std::move(finding);
    }
  }
  return telling;
}

}  // namespace idzone::verifier
