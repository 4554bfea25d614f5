// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "services/core/base/error.h"
#include "services/core/dns/name.h"
#include "services/core/dns/serial.h"

/// The two requests that a transfer host sends to secondaries, and what they answer (RFC 1035, RFC 1996).
namespace idzone::transfer {

enum class Opcode : std::uint8_t { kQuery = 0, kNotify = 4 };

/// A question about a zone's SOA: "a new version is here" (NOTIFY) or "which one do you have?" (QUERY).
struct Request {
  std::uint16_t id = 0;
  Opcode opcode = Opcode::kQuery;
  dns::Name zone;
};

/// Returns the message, unsigned.
Octets EncodeRequest(const Request& request);

struct Answer {
  std::uint16_t id = 0;
  Opcode opcode = Opcode::kQuery;
  int rcode = 0;
  dns::Name zone;
  std::optional<dns::Serial> serial;  // of a SOA record of that zone in the answer section
};

/// Reads an answer of at most one UDP packet, from anybody: ENCODING_MALFORMED. What is behind the first SOA record is not
/// looked at; a TSIG record is not verified (services/transfer/secondary_watch.h says what an answer is good for).
Result<Answer> DecodeAnswer(OctetsView message);

}  // namespace idzone::transfer
