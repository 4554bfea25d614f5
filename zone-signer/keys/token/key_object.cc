// SPDX-License-Identifier: MIT
#include "zone-signer/keys/token/key_object.h"

#include <string_view>
#include <vector>

#include "services/core/dns/dnskey.h"

namespace idzone::signer::keys::token {
namespace {

using namespace std::string_view_literals;

/// CKA_EC_PARAMS: the object identifier of secp256r1 (RFC 5480 §2.1.1.1); the curve's name as a PrintableString (PKCS #11 3.0
/// current mechanisms §2.3.3), which every module that knows Edwards keys takes.
constexpr OctetsView kP256Parameters = "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"sv;
constexpr OctetsView kEd25519Parameters =
    "\x13\x0c"
    "edwards25519"sv;

constexpr std::size_t kSignatureOctets = 64;
/// A point wrapped in an OCTET STRING has at most 67 octets.
constexpr std::size_t kAttributeOctetsMax = 256;
constexpr CK_ULONG kFoundMax = 4;

bool IsP256(std::uint8_t algorithm) {
  return algorithm == dns::kAlgorithmEcdsaP256Sha256;
}

/// The API takes pointers to what it does not change.
CK_ATTRIBUTE Attribute(CK_ATTRIBUTE_TYPE type, OctetsView value) {
  return {type, const_cast<char*>(value.data()), value.size()};
}

template <typename Value>
CK_ATTRIBUTE ValueAttribute(CK_ATTRIBUTE_TYPE type, const Value& value) {
  return {type, const_cast<Value*>(&value), sizeof value};
}

const CK_BBOOL kTrue = CK_TRUE;
const CK_BBOOL kFalse = CK_FALSE;

Result<Octets> ReadAttribute(Session& session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  Octets value(kAttributeOctetsMax, '\0');
  CK_ATTRIBUTE attribute{type, value.data(), value.size()};
  const CK_RV done = session.module()->C_GetAttributeValue(session.handle(), object, &attribute, 1);
  if (done != CKR_OK) return session.connection().Failed("C_GetAttributeValue", done);
  value.resize(attribute.ulValueLen);
  return value;
}

Result<bool> ReadFlag(Session& session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  const auto value = ReadAttribute(session, object, type);
  if (!value) return tl::unexpected(value.error());
  return value->size() == 1 && value->front() != '\0';
}

Result<std::optional<CK_OBJECT_HANDLE>> FindOne(Session& session, CK_OBJECT_CLASS object_class, OctetsView key_id) {
  CK_ATTRIBUTE wanted[] = {ValueAttribute(CKA_CLASS, object_class), Attribute(CKA_ID, key_id)};
  const Module& module = session.module();
  CK_OBJECT_HANDLE found[kFoundMax] = {};
  CK_ULONG count = 0;
  if (const CK_RV done = module->C_FindObjectsInit(session.handle(), wanted, 2); done != CKR_OK)
    return session.connection().Failed("C_FindObjectsInit", done);
  const CK_RV done = module->C_FindObjects(session.handle(), found, kFoundMax, &count);
  module->C_FindObjectsFinal(session.handle());
  if (done != CKR_OK) return session.connection().Failed("C_FindObjects", done);
  if (count == 0) return std::nullopt;
  if (count > 1)
    return Fail(Reason::kKeyFileInvalid, session.connection().subject(), "one key " + HexEncode(key_id),
                std::to_string(count) + " of them");
  return found[0];
}

/// CKA_EC_POINT is the point in a DER OCTET STRING (PKCS #11 2.40 §2.3.3); older modules give the point alone.
Result<Octets> PublicOctets(Session& session, CK_OBJECT_HANDLE public_key, std::uint8_t algorithm) {
  const auto value = ReadAttribute(session, public_key, CKA_EC_POINT);
  if (!value) return tl::unexpected(value.error());
  OctetsView point = *value;
  const std::size_t size = IsP256(algorithm) ? 65 : 32;
  if (point.size() == size + 2 && point[0] == '\x04' && static_cast<std::size_t>(point[1]) == size) point.remove_prefix(2);
  if (point.size() != size || (IsP256(algorithm) && point[0] != '\x04'))
    return Fail(Reason::kKeyFileInvalid, session.connection().subject(), "an uncompressed point of " + std::to_string(size) + " octets",
                std::to_string(value->size()) + " others");
  return Octets(IsP256(algorithm) ? point.substr(1) : point);
}

Result<std::uint8_t> AlgorithmOf(Session& session, CK_OBJECT_HANDLE key) {
  const auto type = ReadAttribute(session, key, CKA_KEY_TYPE);
  if (!type) return tl::unexpected(type.error());
  CK_KEY_TYPE number = 0;
  if (type->size() == sizeof number) type->copy(reinterpret_cast<char*>(&number), sizeof number);
  if (number == CKK_EC) return dns::kAlgorithmEcdsaP256Sha256;
  if (number == CKK_EC_EDWARDS) return dns::kAlgorithmEd25519;
  return Fail(Reason::kKeyFileInvalid, session.connection().subject(), "an EC or Edwards key", "key type " + std::to_string(number));
}

class TokenContext : public SigningContext {
 public:
  TokenContext(Session session, CK_OBJECT_HANDLE key, std::uint8_t algorithm)
      : session_(std::move(session)), key_(key), is_p256_(IsP256(algorithm)) {}

  Result<Octets> Sign(OctetsView data) override {
    const Module& module = session_.module();
    CK_MECHANISM mechanism{is_p256_ ? CKM_ECDSA : CKM_EDDSA, nullptr, 0};
    if (const CK_RV done = module->C_SignInit(session_.handle(), &mechanism, key_); done != CKR_OK)
      return session_.connection().Failed("C_SignInit", done);
    Octets digest = is_p256_ ? Sha256(data) : Octets(data);
    Octets signature(kSignatureOctets, '\0');
    CK_ULONG size = signature.size();
    // CKM_ECDSA gives r||s, each as long as the curve's order (PKCS #11 2.40 mechanisms §2.3.1): RFC 6605's own form.
    const CK_RV done = module->C_Sign(session_.handle(), reinterpret_cast<CK_BYTE_PTR>(digest.data()), digest.size(),
                                      reinterpret_cast<CK_BYTE_PTR>(signature.data()), &size);
    if (done != CKR_OK) return session_.connection().Failed("C_Sign", done);
    if (size != kSignatureOctets)
      return Fail(Reason::kInternal, session_.connection().subject(), "a signature of 64 octets", std::to_string(size));
    return signature;
  }

 private:
  Session session_;
  CK_OBJECT_HANDLE key_;
  bool is_p256_;
};

class TokenKey : public PrivateKey {
 public:
  TokenKey(std::shared_ptr<Connection> connection, CK_OBJECT_HANDLE handle, std::uint8_t algorithm, Octets public_key)
      : connection_(std::move(connection)), handle_(handle), algorithm_(algorithm), public_key_(std::move(public_key)) {}

  std::uint8_t algorithm() const override { return algorithm_; }
  const Octets& public_key() const override { return public_key_; }
  Result<std::unique_ptr<SigningContext>> MakeContext() const override {
    auto session = Session::Take(connection_);
    if (!session) return tl::unexpected(session.error());
    return std::make_unique<TokenContext>(*std::move(session), handle_, algorithm_);
  }

 private:
  std::shared_ptr<Connection> connection_;
  CK_OBJECT_HANDLE handle_;
  std::uint8_t algorithm_;
  Octets public_key_;
};

}  // namespace

Result<KeyPair> GeneratePair(Session& session, std::uint8_t algorithm) {
  const CK_KEY_TYPE type = IsP256(algorithm) ? CKK_EC : CKK_EC_EDWARDS;
  CK_MECHANISM mechanism{IsP256(algorithm) ? CKM_EC_KEY_PAIR_GEN : CKM_EC_EDWARDS_KEY_PAIR_GEN, nullptr, 0};
  CK_ATTRIBUTE public_part[] = {ValueAttribute(CKA_TOKEN, kTrue), ValueAttribute(CKA_KEY_TYPE, type), ValueAttribute(CKA_VERIFY, kTrue),
                                Attribute(CKA_EC_PARAMS, IsP256(algorithm) ? kP256Parameters : kEd25519Parameters),
                                Attribute(CKA_LABEL, kUnnamed)};
  CK_ATTRIBUTE private_part[] = {ValueAttribute(CKA_TOKEN, kTrue),        ValueAttribute(CKA_KEY_TYPE, type),
                                 ValueAttribute(CKA_PRIVATE, kTrue),      ValueAttribute(CKA_SENSITIVE, kTrue),
                                 ValueAttribute(CKA_EXTRACTABLE, kFalse), ValueAttribute(CKA_SIGN, kTrue),
                                 Attribute(CKA_LABEL, kUnnamed)};
  KeyPair pair;
  const CK_RV done = session.module()->C_GenerateKeyPair(session.handle(), &mechanism, public_part, std::size(public_part), private_part,
                                                         std::size(private_part), &pair.public_key, &pair.private_key);
  if (done != CKR_OK) return session.connection().Failed("C_GenerateKeyPair", done);
  return pair;
}

Result<std::optional<KeyPair>> FindPair(Session& session, OctetsView key_id) {
  const auto private_key = FindOne(session, CKO_PRIVATE_KEY, key_id);
  if (!private_key) return tl::unexpected(private_key.error());
  const auto public_key = FindOne(session, CKO_PUBLIC_KEY, key_id);
  if (!public_key) return tl::unexpected(public_key.error());
  if (!*private_key || !*public_key) return std::nullopt;
  return KeyPair{**private_key, **public_key};
}

Result<void> NamePair(Session& session, const KeyPair& pair, OctetsView key_id) {
  const std::string label = HexEncode(key_id);
  for (const CK_OBJECT_HANDLE object : {pair.public_key, pair.private_key}) {
    CK_ATTRIBUTE name[] = {Attribute(CKA_ID, key_id), Attribute(CKA_LABEL, label)};
    const CK_RV done = session.module()->C_SetAttributeValue(session.handle(), object, name, std::size(name));
    if (done != CKR_OK) return session.connection().Failed("C_SetAttributeValue", done);
  }
  return {};
}

void DestroyPair(Session& session, const KeyPair& pair) {
  for (const CK_OBJECT_HANDLE object : {pair.private_key, pair.public_key}) session.module()->C_DestroyObject(session.handle(), object);
}

Result<std::shared_ptr<const PrivateKey>> OpenPair(Session& session, std::shared_ptr<Connection> connection, const KeyPair& pair) {
  const auto algorithm = AlgorithmOf(session, pair.private_key);
  if (!algorithm) return tl::unexpected(algorithm.error());
  auto public_key = PublicOctets(session, pair.public_key, *algorithm);
  if (!public_key) return tl::unexpected(public_key.error());
  const auto sensitive = ReadFlag(session, pair.private_key, CKA_SENSITIVE);
  if (!sensitive) return tl::unexpected(sensitive.error());
  const auto extractable = ReadFlag(session, pair.private_key, CKA_EXTRACTABLE);
  if (!extractable) return tl::unexpected(extractable.error());
  if (!*sensitive || *extractable)
    return Fail(Reason::kKeyFileInvalid, session.connection().subject(),
                "a private key that cannot leave it (CKA_SENSITIVE, not CKA_EXTRACTABLE)", "one that can");
  return std::make_shared<TokenKey>(std::move(connection), pair.private_key, *algorithm, *std::move(public_key));
}

}  // namespace idzone::signer::keys::token
