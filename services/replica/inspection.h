// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/replica/environment.h"
#include "services/replica/format.h"

/// Whether a replica is whole. A look-up believes no value whose checksum is wrong, but says nothing of the rest of the
/// file: this walks all of it, so that damage is found before somebody asks for it.
///
/// LMDB believes its pages: walking a damaged file may end the process (an assertion, SIGBUS behind a truncated file's end,
/// SIGSEGV). So strangers' files are inspected in a process of their own (recovery.h).
namespace idzone::replica {

/// What the edge knew of a zone and must not forget when its replica is made anew.
struct Remembered {
  dns::Name zone;
  zone::ZonePosition position;  // an empty digest: it cannot be read, or there was none
  std::vector<Octets> pins;

  friend bool operator==(const Remembered&, const Remembered&) = default;
};

struct Findings {
  std::uint64_t nodes = 0;             // of live generations
  std::vector<Remembered> remembered;  // also of a damaged replica
  std::optional<Error> damage;         // the first that was met; none: the replica is whole
};

/// Returns what can be read of zones and pins, as much as there is. Requires: a held snapshot, as below.
std::vector<Remembered> Remember(const ReadTransaction& transaction);
/// Walks every tree: each value must decode, each zone have its number and its live generation, each live generation be one
/// closed denial chain with the apex in it, and the list of free pages must be one that LMDB could have written.
/// Returns how many nodes the live generations hold, or the first damage.
Result<std::uint64_t> Inspect(const ReadTransaction& transaction);

/// Both as lines of text, for another process: `remembered ZONE EPOCH SERIAL DIGEST PIN…`, octets in hexadecimal and "-" for
/// nothing, then `whole NODES` or `damaged TEXT`.
std::string FormatRemembered(const std::vector<Remembered>& remembered);
std::string FormatVerdict(const Result<std::uint64_t>& inspected);
/// Reads such lines; a text without its last line, from a process that died, is damage.
Findings ParseFindings(std::string_view text);

}  // namespace idzone::replica
