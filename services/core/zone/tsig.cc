// SPDX-License-Identifier: MIT
#include "services/core/zone/tsig.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace idzone::zone {
namespace {

constexpr std::uint16_t kTypeTsig = 250;
constexpr std::uint16_t kClassAny = 255;
constexpr std::uint16_t kFudgeSeconds = 300;  // RFC 8945 §10
constexpr std::size_t kHeaderOctets = 12;

const EVP_MD* DigestOf(TsigAlgorithm algorithm) {
  switch (algorithm) {
    case TsigAlgorithm::kHmacSha256: return EVP_sha256();
    case TsigAlgorithm::kHmacSha384: return EVP_sha384();
    case TsigAlgorithm::kHmacSha512: break;
  }
  return EVP_sha512();
}

void AppendTime48(OctetWriter& writer, UnixTime time) {
  const auto seconds = static_cast<std::uint64_t>(time.time_since_epoch().count());
  writer.U16(static_cast<std::uint16_t>(seconds >> 32));
  writer.U32(static_cast<std::uint32_t>(seconds));
}

}  // namespace

Result<Octets> SignRequest(Octets message, const TsigKey& key, UnixTime now) {
  IDZONE_INVARIANT(message.size() >= kHeaderOctets, "a DNS message has a header");
  const auto algorithm = dns::Name::Parse(TsigAlgorithmName(key.algorithm));
  IDZONE_INVARIANT(algorithm.has_value(), "the algorithms have names");

  // RFC 8945 §4.3.3: the message, then the TSIG variables.
  Octets signed_octets = message;
  OctetWriter variables(signed_octets);
  variables.Raw(key.name.wire());
  variables.U16(kClassAny);
  variables.U32(0);  // TTL
  variables.Raw(algorithm->wire());
  AppendTime48(variables, now);
  variables.U16(kFudgeSeconds);
  variables.U16(0);  // error
  variables.U16(0);  // other data
  Octets mac(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  if (HMAC(DigestOf(key.algorithm), key.secret.data(), static_cast<int>(key.secret.size()),
           reinterpret_cast<const unsigned char*>(signed_octets.data()), signed_octets.size(), reinterpret_cast<unsigned char*>(mac.data()),
           &size) == nullptr)
    return Fail(Reason::kInternal, "TSIG", "an HMAC", "a failure of OpenSSL");
  mac.resize(size);

  Octets rdata;
  OctetWriter fields(rdata);
  fields.Raw(algorithm->wire());
  AppendTime48(fields, now);
  fields.U16(kFudgeSeconds);
  fields.U16Sized(mac);
  fields.Raw(OctetsView(message).substr(0, 2));  // the original id
  fields.U16(0);
  fields.U16(0);
  OctetReader header(OctetsView(message).substr(10, 2));
  Octets additional;
  OctetWriter(additional).U16(static_cast<std::uint16_t>(header.U16() + 1));
  message.replace(10, 2, additional);
  OctetWriter record(message);
  record.Raw(key.name.wire());
  record.U16(kTypeTsig);
  record.U16(kClassAny);
  record.U32(0);
  record.U16Sized(rdata);
  return message;
}

}  // namespace idzone::zone
