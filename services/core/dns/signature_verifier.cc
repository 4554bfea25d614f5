// SPDX-License-Identifier: MIT
#include "services/core/dns/signature_verifier.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>

#include "services/core/base/deleter.h"
#include "services/core/dns/dnskey.h"
#include "services/core/dns/ecdsa_form.h"

namespace idzone::dns {
namespace {

constexpr std::size_t kHeadOctets = 4;  // flags, protocol, algorithm
constexpr unsigned kZoneKey = 0x0100;
constexpr std::size_t kFieldOctets = 32;
constexpr std::size_t kSignatureOctets = 64;

using PkeyPointer = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using PkeyContextPointer = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using DigestContextPointer = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;

const unsigned char* Data(OctetsView octets) {
  return reinterpret_cast<const unsigned char*>(octets.data());
}

/// RFC 6605 §4: x and y, 32 octets each. The SubjectPublicKeyInfo around them is always the same.
EVP_PKEY* DecodeP256(OctetsView point) {
  static constexpr char kBefore[] =
      "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04";
  if (point.size() != 2 * kFieldOctets) return nullptr;
  const Octets spki = Octets(kBefore, sizeof kBefore - 1) + Octets(point);
  const unsigned char* at = Data(spki);
  return d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size()));
}

EVP_PKEY* Decode(std::uint8_t algorithm, OctetsView key) {
  if (algorithm == kAlgorithmEcdsaP256Sha256) return DecodeP256(key);
  if (algorithm == kAlgorithmEd25519) return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Data(key), key.size());
  return nullptr;
}

bool VerifyP256(EVP_PKEY* key, OctetsView data, OctetsView signature) {
  const Octets digest = Sha256(data);
  const Octets der = DerOfRaw(signature);
  const PkeyContextPointer context(EVP_PKEY_CTX_new(key, nullptr));
  return context != nullptr && EVP_PKEY_verify_init(context.get()) == 1 &&
         EVP_PKEY_verify(context.get(), Data(der), der.size(), Data(digest), digest.size()) == 1;
}

/// RFC 8080 §4: pure Ed25519, over the data and not over a digest of it.
bool VerifyEd25519(EVP_PKEY* key, OctetsView data, OctetsView signature) {
  const DigestContextPointer context(EVP_MD_CTX_new());
  return context != nullptr && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), Data(signature), signature.size(), Data(data), data.size()) == 1;
}

std::string Subject(const Name& owner, RrType type) {
  return "RRSIG of " + owner.Format() + " " + RrTypeName(type);
}

/// RFC 4034 §6.3: ascending, each once.
bool InCanonicalOrder(const std::vector<Octets>& rdatas) {
  return !rdatas.empty() && std::adjacent_find(rdatas.begin(), rdatas.end(), std::greater_equal<>()) == rdatas.end();
}

}  // namespace

struct SignatureVerifier::Key {
  std::uint8_t algorithm = 0;
  std::uint16_t tag = 0;
  PkeyPointer pkey;

  bool Verifies(OctetsView data, OctetsView signature) const {
    if (signature.size() != kSignatureOctets) return false;
    const bool verified =
        algorithm == kAlgorithmEd25519 ? VerifyEd25519(pkey.get(), data, signature) : VerifyP256(pkey.get(), data, signature);
    if (!verified) ERR_clear_error();
    return verified;
  }
};

SignatureVerifier::SignatureVerifier(Name zone, const std::vector<Octets>& dnskeys) : zone_(std::move(zone)) {
  for (const Octets& dnskey : dnskeys) {
    OctetReader reader(dnskey);
    const unsigned flags = reader.U16();
    const unsigned protocol = reader.U8();
    const std::uint8_t algorithm = reader.U8();
    if (!reader.ok() || (flags & kZoneKey) == 0 || protocol != 3) continue;
    PkeyPointer pkey(Decode(algorithm, OctetsView(dnskey).substr(kHeadOctets)));
    if (pkey == nullptr) {
      ERR_clear_error();
      continue;
    }
    keys_.push_back(std::make_shared<const Key>(Key{algorithm, KeyTag(dnskey), std::move(pkey)}));
  }
}

SignatureVerifier SignatureVerifier::For(Name zone) const {
  SignatureVerifier other = *this;
  other.zone_ = std::move(zone);
  return other;
}

Result<void> SignatureVerifier::Check(const Name& owner, RrType type, Ttl ttl, const std::vector<Octets>& rdatas, OctetsView rrsig,
                                      UnixTime now) const {
  const auto fields = ParseRrsig(rrsig);
  if (!fields) return tl::unexpected(fields.error());
  if (fields->type_covered != type || fields->original_ttl != ttl || fields->signer != zone_.wire() ||
      fields->labels != owner.rrsig_label_count() || !owner.IsAtOrBelow(zone_))
    return Fail(Reason::kSignatureInvalid, Subject(owner, type), "type, TTL, labels and signer of the records", "others");
  if (!InCanonicalOrder(rdatas)) return Fail(Reason::kSignatureInvalid, Subject(owner, type), "records in canonical order", "others");
  if (IsWithinPeriod(now, fields->inception, fields->expiration)) {
    const Octets data = EncodeSignedData(*fields, owner.wire(), type, rdatas);
    for (const auto& key : keys_) {
      if (key->tag == fields->key_tag && key->algorithm == fields->algorithm && key->Verifies(data, fields->signature)) return {};
    }
  }
  return Fail(Reason::kSignatureInvalid, Subject(owner, type), "a signature by a published key, valid now", "none");
}

Result<void> SignatureVerifier::CheckRrSet(const Name& owner, const RrSet& rrset, UnixTime now) const {
  if (rrset.rrsigs.empty()) return Fail(Reason::kSignatureInvalid, Subject(owner, rrset.type), "a signature", "none");
  for (const Octets& rrsig : rrset.rrsigs) {
    if (auto checked = Check(owner, rrset.type, rrset.ttl, rrset.rdatas, rrsig, now); !checked) return checked;
  }
  return {};
}

}  // namespace idzone::dns
