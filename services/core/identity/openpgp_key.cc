// SPDX-License-Identifier: MIT
#include "services/core/identity/openpgp_key.h"

#include <optional>

#include "services/core/base/limits.h"
#include "services/core/identity/key_material.h"
#include "services/core/identity/openpgp_armor.h"
#include "services/core/identity/ssh_key.h"

namespace idzone::identity {
namespace {

/// RFC 4880 §4.3.
enum Tag : std::uint8_t {
  kSignature = 2,
  kSecretKey = 5,
  kPublicKey = 6,
  kSecretSubkey = 7,
  kMarker = 10,
  kTrust = 12,
  kUserId = 13,
  kPublicSubkey = 14,
  kUserAttribute = 17,
};

struct Packet {
  std::uint8_t tag = 0;
  OctetsView body;
  OctetsView whole;
};

tl::unexpected<Error> Refuse(Reason reason, std::string expected, std::string met) {
  return Fail(reason, std::string(kOpenPgpField), std::move(expected), std::move(met));
}

/// RFC 4880 §4.2.1: one, two or four octets; indeterminate lengths are for data packets.
std::optional<std::size_t> TakeOldLength(std::uint8_t head, OctetReader& reader) {
  switch (head & 3) {
    case 0: return reader.U8();
    case 1: return reader.U16();
    case 2: return reader.U32();
    default: return std::nullopt;
  }
}

/// RFC 4880 §4.2.2; partial lengths are for data packets.
std::optional<std::size_t> TakeNewLength(OctetReader& reader) {
  const std::uint8_t first = reader.U8();
  if (first < 192) return first;
  if (first < 224) return (static_cast<std::size_t>(first - 192) << 8) + reader.U8() + 192;
  if (first == 255) return reader.U32();
  return std::nullopt;
}

/// Takes one packet from the front of `rest`.
Result<Packet> TakePacket(OctetsView& rest) {
  const auto malformed = [](std::string met) { return Refuse(Reason::kMaterialMalformed, "OpenPGP packets to the end", std::move(met)); };
  OctetReader reader(rest);
  const std::uint8_t head = reader.U8();
  if ((head & 0x80) == 0) return malformed("an octet that begins no packet");
  const bool is_new = (head & 0x40) != 0;
  const auto length = is_new ? TakeNewLength(reader) : TakeOldLength(head, reader);
  if (!length) return malformed("a packet of no definite length");
  const OctetsView body = reader.Raw(*length);
  if (!reader.ok()) return malformed("a packet that goes beyond the end");
  const OctetsView whole = rest.substr(0, rest.size() - reader.remaining());
  rest.remove_prefix(whole.size());
  return Packet{.tag = static_cast<std::uint8_t>(is_new ? head & 0x3f : head >> 2 & 0x0f), .body = body, .whole = whole};
}

Result<void> CheckRsaBits(int bits) {
  if (bits < limits::kRsaBitsMin) return Refuse(Reason::kKeyTooWeak, "RSA of 2048 bits or more", std::to_string(bits) + " bits");
  if (bits > limits::kRsaBitsMax) return Refuse(Reason::kKeyUnsupported, "RSA of at most 8192 bits", std::to_string(bits) + " bits");
  return {};
}

/// RFC 4880 §5.5.2 and §9.1, RFC 6637 §5, RFC 9580 §5.5.2 and §9.1.
Result<void> CheckPrimary(OctetsView body) {
  OctetReader reader(body);
  const std::uint8_t version = reader.U8();
  reader.U32();  // when it was made
  if (version == 2 || version == 3) return Refuse(Reason::kKeyTooWeak, "a key of version 4 or later", "version " + std::to_string(version));
  if (version < 4 || version > 6)
    return Refuse(Reason::kKeyUnsupported, "a key of version 4, 5 or 6", "version " + std::to_string(version));
  const std::uint8_t algorithm = reader.U8();
  if (version > 4) reader.U32();  // octets of what follows
  const int bits = reader.U16();  // of the first number, when the algorithm has numbers
  if (!reader.ok()) return Refuse(Reason::kMaterialMalformed, "a public key packet", std::to_string(body.size()) + " octets");
  switch (algorithm) {
    case 1:  // RSA
    case 3: return CheckRsaBits(bits);
    case 17: return Refuse(Reason::kKeyTooWeak, "an RSA, ECDSA or EdDSA key", "a DSA key");
    case 19:  // ECDSA
    case 22:  // EdDSA
    case 27:  // Ed25519
    case 28: return {};
    default: return Refuse(Reason::kKeyUnsupported, "an RSA, ECDSA or EdDSA primary key", "algorithm " + std::to_string(algorithm));
  }
}

Result<void> CheckTag(const Packet& packet, std::size_t position) {
  const std::string met = "packet " + std::to_string(position) + " of tag " + std::to_string(packet.tag);
  if (packet.tag == kSecretKey || packet.tag == kSecretSubkey)
    return Refuse(Reason::kMaterialWrongKind, "a public key (gpg --export)",
                  "a secret key, which must never leave its owner (" + met + ")");
  if (position == 1) {
    if (packet.tag != kPublicKey) return Refuse(Reason::kMaterialWrongKind, "a public key first (tag 6)", met);
    return CheckPrimary(packet.body);
  }
  switch (packet.tag) {
    case kPublicKey: return Refuse(Reason::kMaterialTrailingBytes, "exactly one transferable public key", "another key in " + met);
    case kSignature:
    case kMarker:
    case kTrust:
    case kUserId:
    case kPublicSubkey:
    case kUserAttribute: return {};
    default: return Refuse(Reason::kMaterialMalformed, "user ids, attributes, subkeys and signatures after the key", met);
  }
}

/// Names keys of other worlds, which nobody should have to find out about from a packet's first octet.
Result<void> CheckOtherKinds(OctetsView octets) {
  constexpr char kSequence = '\x30';
  if (LooksLikeSshKey(octets)) return Refuse(Reason::kMaterialWrongKind, "an OpenPGP public key", std::string(kSshThing));
  if (octets.front() != kSequence) return {};
  if (KeyMaterial::Parse(MaterialKind::kCertificate, octets))
    return Refuse(Reason::kMaterialWrongKind, "an OpenPGP public key", "an X.509 certificate");
  if (KeyMaterial::Parse(MaterialKind::kPublicKey, octets))
    return Refuse(Reason::kMaterialWrongKind, "an OpenPGP public key", "a SubjectPublicKeyInfo");
  return {};
}

}  // namespace

Result<OpenPgpKey> OpenPgpKey::Parse(OctetsView octets) {
  if (octets.empty()) return Refuse(Reason::kMaterialMissing, "an OpenPGP public key", "nothing");
  if (octets.size() > limits::kMaterialOctetsMax)
    return Refuse(Reason::kLimitExceeded, "at most " + std::to_string(limits::kMaterialOctetsMax) + " octets",
                  std::to_string(octets.size()));
  if (IsArmored(octets) && (octets.front() & 0x80) == 0) {
    const auto packets = Dearmor(octets);
    return packets ? FromPackets(*packets) : tl::unexpected(packets.error());
  }
  if (auto other = CheckOtherKinds(octets); !other) return tl::unexpected(other.error());
  return FromPackets(octets);
}

Result<OpenPgpKey> OpenPgpKey::FromPackets(OctetsView octets) {
  OpenPgpKey key;
  std::size_t position = 0;
  std::size_t user_ids = 0;
  for (OctetsView rest = octets; !rest.empty();) {
    const auto packet = TakePacket(rest);
    if (!packet) return tl::unexpected(packet.error());
    if (auto checked = CheckTag(*packet, ++position); !checked) return tl::unexpected(checked.error());
    if (position == 1) key.fingerprint_ = Sha256(packet->body);
    if (packet->tag == kUserId) ++user_ids;
    if (packet->tag != kTrust && packet->tag != kMarker) key.rdata_ += packet->whole;
  }
  if (position == 0) return Refuse(Reason::kMaterialMissing, "an OpenPGP public key", "no packets");
  if (user_ids == 0) return Refuse(Reason::kMaterialMalformed, "a user id at least (RFC 4880 §11.1)", "none");
  if (key.rdata_.size() > limits::kRdataOctetsMax)
    return Refuse(Reason::kLimitExceeded,
                  "a key of at most " + std::to_string(limits::kRdataOctetsMax) + " octets (gpg's export-minimal helps)",
                  std::to_string(key.rdata_.size()));
  return key;
}

}  // namespace idzone::identity
