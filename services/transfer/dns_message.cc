// SPDX-License-Identifier: MIT
#include "services/transfer/dns_message.h"

#include <string>
#include <utility>

namespace idzone::transfer {
namespace {

constexpr std::uint16_t kTypeSoa = 6;
constexpr std::uint16_t kClassIn = 1;
constexpr std::uint16_t kFlagAnswer = 0x8000;
constexpr std::uint16_t kFlagAuthoritative = 0x0400;
constexpr std::size_t kHeaderOctets = 12;
/// A name has at most 127 labels; one jump each is more than any writer makes.
constexpr int kJumpsMax = 127;

tl::unexpected<Error> Malformed(const char* expected) {
  return Fail(Reason::kEncodingMalformed, "answer", expected, "another form");
}

/// Reads a possibly compressed name at `at` and moves `at` behind it (RFC 1035 §4.1.4).
Result<dns::Name> TakeName(OctetsView message, std::size_t& at) {
  Octets wire;
  std::size_t from = at;
  bool jumped = false;
  for (int jumps = 0; from < message.size();) {
    const auto length = static_cast<std::uint8_t>(message[from]);
    if (length >= 0xc0) {
      if (from + 1 >= message.size() || ++jumps > kJumpsMax) break;
      if (!jumped) at = from + 2;
      jumped = true;
      from = static_cast<std::size_t>(length & 0x3f) << 8 | static_cast<std::uint8_t>(message[from + 1]);
      continue;
    }
    if (length > 63 || from + 1 + length > message.size() || wire.size() + 1 + length > 255) break;
    wire.append(message.substr(from, 1 + static_cast<std::size_t>(length)));
    from += 1 + static_cast<std::size_t>(length);
    if (length != 0) continue;
    if (!jumped) at = from;
    return dns::Name::FromWire(wire, "answer");
  }
  return Malformed("a name");
}

/// SOA RDATA: two names, then the serial first of five numbers (RFC 1035 §3.3.13).
Result<dns::Serial> TakeSerial(OctetsView message, std::size_t at) {
  for (int name = 0; name < 2; ++name) {
    if (auto skipped = TakeName(message, at); !skipped) return tl::unexpected(skipped.error());
  }
  OctetReader numbers(message.substr(at));
  const dns::Serial serial = numbers.U32();
  if (!numbers.ok()) return Malformed("a serial");
  return serial;
}

}  // namespace

Octets EncodeRequest(const Request& request) {
  Octets message;
  OctetWriter writer(message);
  writer.U16(request.id);
  // RFC 1996 §3.7: a NOTIFY is authoritative.
  writer.U16(static_cast<std::uint16_t>(static_cast<unsigned>(request.opcode) << 11 |
                                        (request.opcode == Opcode::kNotify ? kFlagAuthoritative : 0u)));
  writer.U16(1);
  writer.U16(0);
  writer.U16(0);
  writer.U16(0);
  writer.Raw(request.zone.wire());
  writer.U16(kTypeSoa);
  writer.U16(kClassIn);
  return message;
}

Result<Answer> DecodeAnswer(OctetsView message) {
  OctetReader header(message);
  Answer answer;
  answer.id = header.U16();
  const std::uint16_t flags = header.U16();
  const std::uint16_t questions = header.U16();
  const std::uint16_t answers = header.U16();
  header.U32();
  if (!header.ok() || (flags & kFlagAnswer) == 0 || questions != 1) return Malformed("an answer to one question");
  const unsigned opcode = flags >> 11 & 0xf;
  if (opcode != static_cast<unsigned>(Opcode::kQuery) && opcode != static_cast<unsigned>(Opcode::kNotify))
    return Malformed("an answer to QUERY or NOTIFY");
  answer.opcode = static_cast<Opcode>(opcode);
  answer.rcode = flags & 0xf;
  std::size_t at = kHeaderOctets;
  auto zone = TakeName(message, at);
  if (!zone) return tl::unexpected(zone.error());
  OctetReader question(message.substr(at));
  if (question.U16() != kTypeSoa || question.U16() != kClassIn || !question.ok()) return Malformed("a question for SOA");
  at += 4;
  answer.zone = *std::move(zone);
  for (unsigned i = 0; i < answers; ++i) {
    const auto owner = TakeName(message, at);
    if (!owner) return tl::unexpected(owner.error());
    OctetReader record(message.substr(at));
    const std::uint16_t type = record.U16();
    record.U16();
    record.U32();
    const std::size_t size = record.U16();
    if (!record.ok() || record.remaining() < size) return Malformed("whole records");
    at += 10;
    if (type == kTypeSoa && *owner == answer.zone) {
      const auto serial = TakeSerial(message, at);
      if (!serial) return tl::unexpected(serial.error());
      answer.serial = *serial;
      return answer;
    }
    at += size;
  }
  return answer;
}

}  // namespace idzone::transfer
