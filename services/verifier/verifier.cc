// SPDX-License-Identifier: MIT
#include "services/verifier/verifier.h"

#include <optional>

#include <poll.h>
#include <unbound.h>

#include "services/core/identity/key_material.h"
#include "services/verifier/tlsa_match.h"

namespace idzone::verifier {
namespace {

constexpr int kClassIn = 1;
/// More records than any identity has; beyond it an answer is an attack on the comparison.
constexpr std::size_t kRecordsMax = 64;
/// RCODEs (RFC 1035 §4.1.1).
constexpr int kNoError = 0;
constexpr int kNameError = 3;

struct DeleteContext {
  void operator()(ub_ctx* context) const { ub_ctx_delete(context); }
};
struct FreeResult {
  void operator()(ub_result* result) const { ub_resolve_free(result); }
};
using ResultPointer = std::unique_ptr<ub_result, FreeResult>;

struct Option {
  const char* name;
  const char* value;
};

constexpr Option kOptions[] = {
    // A development server is on 127.0.0.1, which libunbound does not ask by default.
    {"do-not-query-localhost:", "no"},
    // Unbound tolerates signatures expired for an hour or more; a revoked device would be let in for as long.
    {"val-sig-skew-min:", "300"},
    {"val-sig-skew-max:", "300"},
    // Nothing below an anchor may be answered from anything but a fresh, validated answer.
    {"serve-expired:", "no"},
    {"harden-dnssec-stripped:", "yes"},
    {"harden-below-nxdomain:", "yes"},
    {"trust-anchor-signaling:", "no"},
    {"root-key-sentinel:", "no"},
    // Minimised queries cost a round trip a label; the server that is asked owns the names anyway.
    {"qname-minimisation:", "no"},
    {"use-syslog:", "no"},
};

tl::unexpected<Error> Refusal(int code, std::string subject, std::string expected) {
  return Fail(Reason::kValueMalformed, std::move(subject), std::move(expected), ub_strerror(code));
}

/// The outcome of one question, filled by libunbound's callback.
struct Pending {
  bool done = false;
  int code = 0;
  ResultPointer result;
};

void Complete(void* pending_pointer, int code, ub_result* result) {
  auto* pending = static_cast<Pending*>(pending_pointer);
  pending->done = true;
  pending->code = code;
  pending->result.reset(result);
}

std::vector<Octets> Records(const ub_result& result) {
  std::vector<Octets> records;
  for (std::size_t i = 0; result.data[i] != nullptr && i < kRecordsMax; ++i)
    records.emplace_back(result.data[i], static_cast<std::size_t>(result.len[i]));
  return records;
}

Finding Judge(const dns::Name& name, dns::RrType type, const ub_result& result, const Matcher& matcher) {
  Finding finding;
  finding.name = name;
  finding.type = type;
  if (result.bogus != 0) {
    finding.verdict = Verdict::kBogus;
    finding.why = result.why_bogus != nullptr ? result.why_bogus : "the answer fails validation";
    return finding;
  }
  if (result.rcode != kNoError && result.rcode != kNameError) {
    finding.why = "the servers failed (RCODE " + std::to_string(result.rcode) + (result.rcode == 2 ? ", SERVFAIL)" : ")");
    return finding;
  }
  if (result.havedata != 0) finding.records = Records(result);
  finding.name_absent = result.nxdomain != 0;
  if (result.secure == 0) {
    finding.verdict = Verdict::kInsecure;
    finding.why = "no chain of signatures leads from a trust anchor to this answer";
    return finding;
  }
  finding.ttl_seconds = static_cast<std::uint32_t>(result.ttl);
  if (finding.records.empty()) {
    finding.verdict = Verdict::kNoRecord;
    finding.why = finding.name_absent ? std::string("it is proved that the name does not exist")
                                      : "it is proved that the name has no " + dns::RrTypeName(type) + " record";
    return finding;
  }
  if (!matcher) {
    finding.verdict = Verdict::kRecord;
    finding.why = "the records are secure; no key was given to compare";
    return finding;
  }
  const Match match = matcher(finding.records);
  finding.verdict = match.matched ? Verdict::kMatch : Verdict::kNoMatch;
  finding.why = match.why;
  return finding;
}

}  // namespace

struct Verifier::Context {
  std::unique_ptr<ub_ctx, DeleteContext> unbound;
  std::chrono::milliseconds deadline{0};
};

Verifier::Verifier(std::unique_ptr<Context> context) : context_(std::move(context)) {}
Verifier::Verifier(Verifier&&) noexcept = default;
Verifier& Verifier::operator=(Verifier&&) noexcept = default;
Verifier::~Verifier() = default;

namespace {

Result<void> PointAt(ub_ctx* unbound, const VerifierOptions& options) {
  if (options.resolver.empty()) {
    if (const int code = ub_ctx_resolvconf(unbound, nullptr); code != 0) return Refusal(code, "/etc/resolv.conf", "name servers");
    return {};
  }
  if (!options.resolver_is_authoritative) {
    if (const int code = ub_ctx_set_fwd(unbound, options.resolver.c_str()); code != 0)
      return Refusal(code, "resolver", "ADDRESS or ADDRESS@PORT");
    return {};
  }
  for (const TrustAnchor& anchor : options.trust_anchors) {
    if (const int code = ub_ctx_set_stub(unbound, anchor.zone.Format().c_str(), options.resolver.c_str(), 0); code != 0)
      return Refusal(code, "resolver", "ADDRESS or ADDRESS@PORT");
  }
  return {};
}

}  // namespace

Result<Verifier> Verifier::Open(const VerifierOptions& options) {
  if (options.trust_anchors.empty()) return Fail(Reason::kValueMissing, "trust_anchors", "at least one DS or DNSKEY record", "none");
  auto context = std::make_unique<Context>();
  context->deadline = options.deadline;
  context->unbound.reset(ub_ctx_create());
  ub_ctx* unbound = context->unbound.get();
  if (unbound == nullptr) return Fail(Reason::kInternal, "libunbound", "memory and random numbers", "none");
  // Its own log would go to standard error; what matters comes back as a code or as why_bogus.
  ub_ctx_debugout(unbound, nullptr);
  ub_ctx_debuglevel(unbound, 0);
  for (const Option& option : kOptions) {
    if (const int code = ub_ctx_set_option(unbound, option.name, option.value); code != 0)
      return Refusal(code, option.name, "an option that libunbound knows");
  }
  for (const TrustAnchor& anchor : options.trust_anchors) {
    if (const int code = ub_ctx_add_ta(unbound, anchor.line.c_str()); code != 0)
      return Refusal(code, "trust anchor " + anchor.line.substr(0, 100), "a DS or DNSKEY record");
  }
  if (const Result<void> pointed = PointAt(unbound, options); !pointed) return tl::unexpected(pointed.error());
  // The resolver works in a thread of its own, so that the deadline below is ours and not a sum of its timeouts.
  if (const int code = ub_ctx_async(unbound, 1); code != 0) return Refusal(code, "libunbound", "a thread");
  // From here on options are fixed, and a malformed anchor comes to light. RFC 6761 names are answered by libunbound itself
  // unless told otherwise; a laboratory's `test.` zones are real to the laboratory.
  if (const int code = ub_ctx_zone_remove(unbound, "test."); code != 0)
    return Refusal(code, "trust anchor", "DS or DNSKEY records that can be read");
  return Verifier(std::move(context));
}

Finding Verifier::Verify(const dns::Name& name, const identity::KeyMaterial* key) {
  if (key == nullptr) return Ask(name, dns::RrType::kTlsa, {});
  return Ask(name, dns::RrType::kTlsa, [key](const std::vector<Octets>& rdatas) { return MatchTlsa(rdatas, *key); });
}

void Verifier::set_deadline(std::chrono::milliseconds deadline) {
  context_->deadline = deadline;
}

Finding Verifier::Ask(const dns::Name& name, dns::RrType type, const Matcher& matcher) {
  Finding failure;
  failure.name = name;
  failure.type = type;
  const auto end = std::chrono::steady_clock::now() + context_->deadline;
  ub_ctx* unbound = context_->unbound.get();
  Pending pending;
  int question = 0;
  const int started = ub_resolve_async(unbound, name.Format().c_str(), static_cast<int>(type), kClassIn, &pending, Complete, &question);
  if (started != 0) {
    failure.why = std::string("libunbound cannot ask: ") + ub_strerror(started);
    return failure;
  }
  while (!pending.done) {
    const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (rest.count() <= 0) break;
    pollfd descriptor{.fd = ub_fd(unbound), .events = POLLIN, .revents = 0};
    if (poll(&descriptor, 1, static_cast<int>(rest.count())) > 0) ub_process(unbound);
  }
  if (!pending.done) {
    // After a cancellation the callback does not come any more, so that `pending` may go.
    ub_cancel(unbound, question);
    failure.why = "no answer within " + std::to_string(context_->deadline.count()) + " ms";
    return failure;
  }
  if (pending.code != 0 || pending.result == nullptr) {
    failure.why = std::string("libunbound failed: ") + ub_strerror(pending.code);
    return failure;
  }
  return Judge(name, type, *pending.result, matcher);
}

}  // namespace idzone::verifier
