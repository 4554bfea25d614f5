// SPDX-License-Identifier: MIT
#include "services/core/zone/namespace_kind.h"

#include <algorithm>
#include <array>
#include <string>

#include "services/core/base/limits.h"

namespace idzone::zone {
namespace {

constexpr std::size_t kServiceNameMax = 15;
constexpr std::string_view kFirstLabelExpected =
    "_device, _user, _openpgpkey, _smimecert or _<service> (1 to 15 letters, digits, single inner hyphens, one letter at least) "
    "in front of a domain";

/// Labels that a protocol reads in the DNS, each with what a foreign zone there would do.
struct ReservedLabel {
  std::string_view label;
  std::string_view because;
};

constexpr std::string_view kMail = "there mail systems read a domain's mail policy";
constexpr std::string_view kTransport = "below it stand the records of a host's servers";
constexpr std::string_view kDnssec = "there name servers read DNSSEC's own signals";
constexpr std::string_view kBinding = "there clients read how to reach a server";
constexpr std::string_view kControl = "by it certification authorities and others see who controls a domain";

// Source: IANA "Underscored and Globally Scoped DNS Node Names", RFC 8552 §4.1.2, and the drafts that ask to enter it.
constexpr auto kReservedLabels = std::to_array<ReservedLabel>({
    {"_domainkey", kMail},  {"_dmarc", kMail},    {"_spf", kMail},        {"_mta-sts", kMail},   {"_smtp-tlsrpt", kMail},
    {"_tls", kMail},        {"_report", kMail},   {"_adsp", kMail},       {"_vouch", kMail},     {"_bimi", kMail},
    {"_tcp", kTransport},   {"_udp", kTransport}, {"_sctp", kTransport},  {"_dccp", kTransport}, {"_dane", kTransport},
    {"_dsboot", kDnssec},   {"_signal", kDnssec}, {"_ta", kDnssec},       {"_er", kDnssec},      {"_http", kBinding},
    {"_https", kBinding},   {"_dns", kBinding},   {"_dnsauth", kControl}, {"_psl", kControl},    {"_pki-validation", kControl},
    {"_atproto", kControl},
});

/// By these labels certification authorities prove control of the whole domain; who owns one gets certificates for it. With
/// suffixes too: `_acme-challenge_…`, `_validation-persist`, `_validation-contactemail`.
bool ProvesControl(OctetsView label) {
  return label.starts_with("_acme-") || label.starts_with("_validation");
}

tl::unexpected<Error> Refuse(std::string expected, std::string met) {
  return Fail(Reason::kZoneApexForbidden, "name", std::move(expected), std::move(met));
}

bool IsLetter(char c) {
  return c >= 'a' && c <= 'z';
}
bool IsLetterOrDigit(char c) {
  return IsLetter(c) || (c >= '0' && c <= '9');
}

/// RFC 6335 §5.1.
bool IsServiceName(OctetsView name) {
  return !name.empty() && name.size() <= kServiceNameMax && std::any_of(name.begin(), name.end(), IsLetter) &&
         std::all_of(name.begin(), name.end(), [](char c) { return IsLetterOrDigit(c) || c == '-'; }) && name.front() != '-' &&
         name.back() != '-' && name.find("--") == OctetsView::npos;
}

Result<void> CheckFirstLabel(const dns::Name& apex) {
  const OctetsView label = apex.FirstLabel();
  for (const ReservedLabel& reserved : kReservedLabels) {
    if (label == reserved.label) return Refuse("another first label: " + std::string(reserved.because), apex.Format());
  }
  const bool underscored = label.starts_with('_') && apex.label_count() >= 2;
  if (!underscored || !IsServiceName(label.substr(1))) return Refuse(std::string(kFirstLabelExpected), apex.Format());
  return {};
}

}  // namespace

NamespaceKind KindOf(const dns::Name& apex) {
  const OctetsView label = apex.FirstLabel();
  if (label == "_device") return NamespaceKind::kDevice;
  if (label == "_user") return NamespaceKind::kUser;
  if (label == "_openpgpkey") return NamespaceKind::kMailKey;
  if (label == "_smimecert") return NamespaceKind::kMailCertificate;
  return NamespaceKind::kService;
}

Result<void> CheckApex(const dns::Name& apex) {
  for (const OctetsView label : apex.Labels()) {
    if (!std::all_of(label.begin(), label.end(), [](char c) { return IsLetterOrDigit(c) || c == '-' || c == '_'; }))
      return Refuse("labels of letters, digits, hyphens, underscores (A-labels)", apex.Format());
    if (ProvesControl(label)) return Refuse("no label " + std::string(label) + ": " + std::string(kControl), apex.Format());
  }
  if (auto first = CheckFirstLabel(apex); !first) return first;
  if (apex.wire().size() > limits::kZoneNameOctetsMax)
    return Refuse("at most 222 octets, for NSEC3 owners", std::to_string(apex.wire().size()));
  return {};
}

}  // namespace idzone::zone
