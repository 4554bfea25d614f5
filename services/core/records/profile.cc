// SPDX-License-Identifier: MIT
#include "services/core/records/profile.h"

#include "services/core/base/limits.h"

namespace idzone::records {
namespace {

// RFC 7218 §2: usage, selector and matching type numbers.
constexpr std::uint8_t kDaneTa = 2;
constexpr std::uint8_t kDaneEe = 3;
constexpr std::uint8_t kFullCertificate = 0;
constexpr std::uint8_t kSpki = 1;
constexpr std::uint8_t kFull = 0;
constexpr std::uint8_t kSha256 = 1;
constexpr std::uint8_t kSha512 = 2;

struct TlsaShape {
  std::uint8_t selector;
  std::uint8_t matching;
};

TlsaShape ShapeOf(RecordProfile profile) {
  switch (profile) {
    case RecordProfile::kTlsa311: return {kSpki, kSha256};
    case RecordProfile::kTlsa312: return {kSpki, kSha512};
    case RecordProfile::kTlsa301: return {kFullCertificate, kSha256};
    case RecordProfile::kTlsa310: return {kSpki, kFull};
    case RecordProfile::kTlsa300: return {kFullCertificate, kFull};
  }
  InvariantBroken("a record profile is one of the five", __FILE__, __LINE__);
}

Result<Octets> MakeRdata(std::uint8_t usage, TlsaShape shape, const Octets& selected) {
  Octets rdata;
  OctetWriter writer(rdata);
  writer.U8(usage);
  writer.U8(shape.selector);
  writer.U8(shape.matching);
  writer.Raw(shape.matching == kSha256 ? Sha256(selected) : shape.matching == kSha512 ? Sha512(selected) : selected);
  if (rdata.size() > limits::kRdataOctetsMax)
    return Fail(Reason::kLimitExceeded, "material", "at most 4093 octets, for it is published in full", std::to_string(selected.size()));
  return rdata;
}

Result<void> CheckFormat(const char* type, OctetsView rdata) {
  const auto refuse = [type](std::string expected, std::string met) -> Result<void> {
    return Fail(Reason::kRecordMalformed, type, std::move(expected), std::move(met));
  };
  OctetReader reader(rdata);
  const std::uint8_t usage = reader.U8();
  const std::uint8_t selector = reader.U8();
  const std::uint8_t matching = reader.U8();
  if (!reader.ok() || reader.at_end()) return refuse("usage, selector, matching type and data", std::to_string(rdata.size()) + " octets");
  if (rdata.size() > limits::kRdataOctetsMax) return refuse("at most 4096 octets", std::to_string(rdata.size()));
  // Underscore names cannot have Web PKI certificates, so usages 0 and 1 can never match there.
  if (usage != kDaneTa && usage != kDaneEe) return refuse("usage 2 or 3", std::to_string(usage));
  if (selector > kSpki) return refuse("selector 0 or 1", std::to_string(selector));
  if (matching > kSha512) return refuse("matching type 0, 1 or 2", std::to_string(matching));
  const std::size_t size = reader.remaining();
  if (matching == kSha256 && size != 32) return refuse("32 octets of SHA-256", std::to_string(size));
  if (matching == kSha512 && size != 64) return refuse("64 octets of SHA-512", std::to_string(size));
  return {};
}

}  // namespace

std::string_view ProfileText(RecordProfile profile) {
  switch (profile) {
    case RecordProfile::kTlsa311: return "3 1 1";
    case RecordProfile::kTlsa312: return "3 1 2";
    case RecordProfile::kTlsa301: return "3 0 1";
    case RecordProfile::kTlsa310: return "3 1 0";
    case RecordProfile::kTlsa300: return "3 0 0";
  }
  InvariantBroken("a record profile is one of the five", __FILE__, __LINE__);
}

Result<RecordProfile> ParseProfile(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != ' ' && c != '-') digits.push_back(c);
  }
  if (digits == "311") return RecordProfile::kTlsa311;
  if (digits == "312") return RecordProfile::kTlsa312;
  if (digits == "301") return RecordProfile::kTlsa301;
  if (digits == "310") return RecordProfile::kTlsa310;
  if (digits == "300") return RecordProfile::kTlsa300;
  return Fail(Reason::kEnumUnknown, "profile", "3 1 1, 3 1 2, 3 0 1, 3 1 0 or 3 0 0", std::string(text.substr(0, 40)));
}

Result<Octets> MakeTlsa(RecordProfile profile, const identity::KeyMaterial& key) {
  const TlsaShape shape = ShapeOf(profile);
  if (shape.selector == kFullCertificate && key.certificate().empty())
    return Fail(Reason::kProfileNeedsCertificate, "material",
                "a certificate, because the namespace publishes " + std::string(ProfileText(profile)), "a bare key or a request");
  // RFC 6698 §2.1.2: selector 1 is the DER SubjectPublicKeyInfo, not the bare key bits.
  const Octets& selected = shape.selector == kSpki ? key.spki() : key.certificate();
  return MakeRdata(kDaneEe, shape, selected);
}

Result<Octets> MakeAuthorityTlsa(bool full, const identity::KeyMaterial& authority) {
  IDZONE_INVARIANT(!authority.certificate().empty(), "an authority came as a certificate");
  return MakeRdata(kDaneTa, {kFullCertificate, full ? kFull : kSha256}, authority.certificate());
}

Result<void> CheckTlsa(OctetsView rdata) {
  return CheckFormat("TLSA", rdata);
}

Result<void> CheckSmimea(OctetsView rdata) {
  return CheckFormat("SMIMEA", rdata);
}

}  // namespace idzone::records
