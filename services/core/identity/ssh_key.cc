// SPDX-License-Identifier: MIT
#include "services/core/identity/ssh_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <array>
#include <vector>

#include "services/core/base/limits.h"
#include "services/core/identity/key_strength.h"
#include "services/core/identity/openssl_pointer.h"
#include "services/core/identity/printable.h"

namespace idzone::identity {
namespace {

constexpr std::string_view kSpace = " \t\r";
constexpr std::string_view kCertificateSuffix = "-cert-v01@openssh.com";
constexpr std::string_view kTokenPrefix = "sk-";
constexpr std::string_view kDsa = "ssh-dss";

enum class Family { kRsa, kEcdsa, kEdwards };

struct KeyType {
  std::string_view name;
  Family family;
  std::uint8_t sshfp_algorithm;  // RFC 4255 §3.1.1, RFC 6594 §3.1, RFC 7479 §3, RFC 8709 §7
  const char* group;             // OpenSSL's name
  std::string_view curve;        // RFC 5656 §6.1, as the blob repeats it
  std::size_t octets;            // of a point or an Edwards key
  int evp_type;
};

constexpr auto kKeyTypes = std::to_array<KeyType>({
    {"ssh-rsa", Family::kRsa, 1, "RSA", "", 0, 0},
    {"ecdsa-sha2-nistp256", Family::kEcdsa, 3, SN_X9_62_prime256v1, "nistp256", 65, 0},
    {"ecdsa-sha2-nistp384", Family::kEcdsa, 3, SN_secp384r1, "nistp384", 97, 0},
    {"ecdsa-sha2-nistp521", Family::kEcdsa, 3, SN_secp521r1, "nistp521", 133, 0},
    {"ssh-ed25519", Family::kEdwards, 4, "", "", 32, EVP_PKEY_ED25519},
    {"ssh-ed448", Family::kEdwards, 6, "", "", 57, EVP_PKEY_ED448},
});

const KeyType* FindKeyType(std::string_view name) {
  const auto* found = std::find_if(kKeyTypes.begin(), kKeyTypes.end(), [&](const KeyType& type) { return type.name == name; });
  return found == kKeyTypes.end() ? nullptr : found;
}

/// Types that are known well enough to say why they are refused count too.
bool IsTypeName(std::string_view name) {
  return FindKeyType(name) != nullptr || name == kDsa || name.ends_with(kCertificateSuffix) ||
         (name.starts_with(kTokenPrefix) && name.ends_with("@openssh.com"));
}

tl::unexpected<Error> Refuse(Reason reason, std::string expected, std::string met) {
  return Fail(reason, std::string(kSshField), std::move(expected), std::move(met));
}

tl::unexpected<Error> Malformed(std::string expected, std::string met) {
  return Refuse(Reason::kMaterialMalformed, std::move(expected), std::move(met));
}

std::vector<std::string_view> Split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (std::size_t at = text.find_first_not_of(separators); at != std::string_view::npos; at = text.find_first_not_of(separators, at)) {
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end;
  }
  return parts;
}

/// Returns the only line that holds anything, without space around it.
Result<std::string_view> OnlyLine(std::string_view text) {
  if (text.find("PRIVATE KEY-----") != std::string_view::npos)
    return Refuse(Reason::kMaterialWrongKind, "a public key (the .pub file)", "a private key, which must never leave its host");
  if (text.find("-----BEGIN ") != std::string_view::npos) return Refuse(Reason::kMaterialWrongKind, std::string(kSshThing), "a PEM block");
  if (text.find("---- BEGIN SSH2") != std::string_view::npos)
    return Refuse(Reason::kMaterialWrongKind, std::string(kSshThing) + " (ssh-keygen -i makes one)", "the format of RFC 4716");
  if (text.find('\0') != std::string_view::npos) return Malformed(std::string(kSshThing), "a NUL octet");
  std::vector<std::string_view> lines;
  for (const std::string_view line : Split(text, "\n")) {
    if (line.find_first_not_of(kSpace) != std::string_view::npos) lines.push_back(line);
  }
  if (lines.empty()) return Refuse(Reason::kMaterialMissing, std::string(kSshThing), "nothing but space");
  if (lines.size() > 1)
    return Refuse(Reason::kMaterialTrailingBytes, "exactly " + std::string(kSshThing), std::to_string(lines.size()) + " lines");
  return lines.front();
}

Result<const KeyType*> TypeOf(const std::vector<std::string_view>& fields) {
  const std::string_view name = fields.front();
  if (name.ends_with(kCertificateSuffix))
    return Refuse(Reason::kKeyUnsupported, "a plain public key, for certificates have no SSHFP number",
                  "an OpenSSH certificate, " + Shown(name));
  if (name.starts_with(kTokenPrefix))
    return Refuse(Reason::kKeyUnsupported, "a plain public key, for keys of security tokens have no SSHFP number", Shown(name));
  if (name == kDsa) return Refuse(Reason::kKeyTooWeak, "an RSA, ECDSA or EdDSA key", "a DSA key (ssh-dss) of 1024 bits");
  const KeyType* type = FindKeyType(name);
  if (type != nullptr) return type;
  if (std::any_of(fields.begin() + 1, fields.end(), IsTypeName))
    return Malformed("the key's type first, as in a .pub file", "options or a host name in front of it");
  return Malformed("a line that begins with ssh-ed25519, ssh-ed448, ecdsa-sha2-nistp256, -384, -521 or ssh-rsa", Shown(name));
}

/// Reads an mpint. Source: RFC 4251 §5: two's complement, "unnecessary leading bytes … MUST NOT be included".
Result<OctetsView> TakePositive(OctetReader& reader, const char* what) {
  const OctetsView number = reader.U32Sized();
  const auto is_high = [](char octet) { return (static_cast<unsigned char>(octet) & 0x80) != 0; };
  if (!reader.ok() || number.empty()) return Malformed(std::string("a positive ") + what, "none");
  if (is_high(number.front())) return Malformed(std::string("a positive ") + what, "a negative one");
  if (number.front() == '\0' && (number.size() == 1 || !is_high(number[1])))
    return Malformed(std::string("the shortest encoding of the ") + what, "zeros in front");
  return number;
}

NumberPointer NumberOf(OctetsView octets) {
  return NumberPointer(BN_bin2bn(reinterpret_cast<const unsigned char*>(octets.data()), static_cast<int>(octets.size()), nullptr));
}

/// Returns nothing when OpenSSL finds no key in the parameters: a point off its curve, for example.
KeyPointer KeyFrom(const char* algorithm, OSSL_PARAM_BLD* builder) {
  const ParamsPointer params(OSSL_PARAM_BLD_to_param(builder));
  const KeyContextPointer context(EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr));
  EVP_PKEY* key = nullptr;
  if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    return nullptr;
  return KeyPointer(key);
}

/// RFC 4253 §6.6: mpint e, mpint n.
Result<KeyPointer> TakeRsa(OctetReader& reader) {
  const auto exponent = TakePositive(reader, "RSA exponent");
  if (!exponent) return tl::unexpected(exponent.error());
  const auto modulus = TakePositive(reader, "RSA modulus");
  if (!modulus) return tl::unexpected(modulus.error());
  const NumberPointer e = NumberOf(*exponent);
  const NumberPointer n = NumberOf(*modulus);
  const ParamBuilderPointer builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return KeyFrom("RSA", builder.get());
}

/// RFC 5656 §3.1: string curve, string Q, "encoded from an elliptic curve point into an octet string … point compression MAY
/// be used" – but OpenSSH writes and reads the uncompressed form alone.
Result<KeyPointer> TakeEcdsa(const KeyType& type, OctetReader& reader) {
  const OctetsView curve = reader.U32Sized();
  if (!reader.ok() || curve != type.curve) return Malformed("curve " + std::string(type.curve), Shown(curve));
  const OctetsView point = reader.U32Sized();
  if (!reader.ok() || point.size() != type.octets || point.front() != '\x04')
    return Malformed("an uncompressed point of " + std::to_string(type.octets) + " octets", std::to_string(point.size()) + " octets");
  const ParamBuilderPointer builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, type.group, 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  KeyPointer key = KeyFrom("EC", builder.get());
  if (key == nullptr) return Malformed("a point of curve " + std::string(type.curve), "a point that is not on it");
  return key;
}

/// RFC 8709 §4: string key.
Result<KeyPointer> TakeEdwards(const KeyType& type, OctetReader& reader) {
  const OctetsView octets = reader.U32Sized();
  if (!reader.ok() || octets.size() != type.octets)
    return Malformed("a key of " + std::to_string(type.octets) + " octets", std::to_string(octets.size()));
  return KeyPointer(
      EVP_PKEY_new_raw_public_key(type.evp_type, nullptr, reinterpret_cast<const unsigned char*>(octets.data()), octets.size()));
}

Result<KeyPointer> TakeKey(const KeyType& type, OctetReader& reader) {
  switch (type.family) {
    case Family::kRsa: return TakeRsa(reader);
    case Family::kEcdsa: return TakeEcdsa(type, reader);
    case Family::kEdwards: return TakeEdwards(type, reader);
  }
  InvariantBroken("an OpenSSH key type belongs to a family", __FILE__, __LINE__);
}

Octets SpkiOf(const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  IDZONE_INVARIANT(size > 0, "a checked public key can be encoded");
  Octets spki(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return spki;
}

Result<SshKey> ParseBlob(const KeyType& type, Octets blob) {
  OctetReader reader(blob);
  const OctetsView inside = reader.U32Sized();
  if (!reader.ok()) return Malformed("a public key blob (RFC 4253 §6.6)", std::to_string(blob.size()) + " octets that are none");
  if (inside != type.name) return Malformed("the type of the line, " + std::string(type.name) + ", inside the key", Shown(inside));
  auto key = TakeKey(type, reader);
  ERR_clear_error();
  if (!key) return tl::unexpected(key.error());
  if (!reader.at_end()) return Malformed("nothing after the key", std::to_string(reader.remaining()) + " octets inside its base64");
  if (auto strong = CheckStrength(kSshField, key->get()); !strong) return tl::unexpected(strong.error());
  return SshKey{.blob = std::move(blob), .sshfp_algorithm = type.sshfp_algorithm, .spki = SpkiOf(key->get())};
}

}  // namespace

Result<SshKey> ParseSshKey(std::string_view text) {
  if (text.empty()) return Refuse(Reason::kMaterialMissing, std::string(kSshThing), "nothing");
  if (text.size() > limits::kMaterialOctetsMax)
    return Refuse(Reason::kLimitExceeded, "at most " + std::to_string(limits::kMaterialOctetsMax) + " octets", std::to_string(text.size()));
  const auto line = OnlyLine(text);
  if (!line) return tl::unexpected(line.error());
  const std::vector<std::string_view> fields = Split(*line, kSpace);
  const auto type = TypeOf(fields);
  if (!type) return tl::unexpected(type.error());
  if (fields.size() < 2) return Malformed("the key in base64 after its type", "nothing");
  auto blob = Base64Decode(fields[1], kSshField);
  if (!blob) return Malformed("a key in " + blob.error().expected, blob.error().met);
  return ParseBlob(**type, *std::move(blob));
}

bool LooksLikeSshKey(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  return begin != std::string_view::npos &&
         IsTypeName(text.substr(begin, std::min(text.find_first_of(" \t\r\n", begin), text.size()) - begin));
}

}  // namespace idzone::identity
