// SPDX-License-Identifier: MIT
#include "services/replica/follower_history.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

namespace idzone::replica {
namespace {

/// Far more zones than an edge follows.
constexpr std::size_t kLinesMax = 10'000;

std::string PlaceOf(const zone::ZonePosition& position) {
  return "epoch " + std::to_string(position.epoch) + " serial " + std::to_string(position.serial);
}

/// The lines of the file, and whether each names the zone.
std::vector<std::pair<std::string, bool>> ReadLines(const std::string& path, const dns::Name& zone) {
  std::vector<std::pair<std::string, bool>> lines;
  std::ifstream file(path);
  for (std::string line; lines.size() < kLinesMax && std::getline(file, line);) {
    const auto name = dns::Name::Parse(line, "zone");
    lines.emplace_back(line, name && *name == zone);
  }
  return lines;
}

}  // namespace

Result<void> CheckHistory(const dns::Name& zone, const zone::ZonePosition& held, const zone::ZonePosition& offered) {
  if (held.digest.empty() || offered.epoch > held.epoch) return {};
  const std::string subject = "snapshot of " + zone.Format();
  if (offered.epoch < held.epoch || dns::SerialLess(offered.serial, held.serial))
    return Fail(Reason::kVersionGap, subject, "not before " + PlaceOf(held), PlaceOf(offered));
  if (offered.serial == held.serial && offered.digest != held.digest)
    return Fail(Reason::kDigestMismatch, subject, PlaceOf(held) + " with digest " + HexEncode(held.digest), HexEncode(offered.digest));
  return {};
}

bool IsFork(const zone::ZonePosition& held, zone::Epoch epoch, dns::Serial previous_serial, const Octets& previous_digest) {
  return !held.digest.empty() && epoch == held.epoch && previous_serial == held.serial && previous_digest != held.digest;
}

Result<void> CheckShrink(const dns::Name& zone, std::uint64_t held, std::uint64_t offered, const ShrinkLimit& limit) {
  if (held < limit.nodes_min || offered >= held || (held - offered) * 100 <= held * limit.percent_max) return {};
  return Fail(Reason::kLimitExceeded, "snapshot of " + zone.Format(),
              "at most " + std::to_string(limit.percent_max) + " % fewer than " + std::to_string(held) + " nodes", std::to_string(offered));
}

bool AcceptFile::Names(const dns::Name& zone) const {
  if (path_.empty()) return false;
  for (const auto& [line, names_it] : ReadLines(path_, zone)) {
    if (names_it) return true;
  }
  return false;
}

void AcceptFile::Remove(const dns::Name& zone) const {
  if (path_.empty()) return;
  std::string rest;
  bool found = false;
  for (const auto& [line, names_it] : ReadLines(path_, zone)) {
    found = found || names_it;
    if (!names_it) rest += line + "\n";
  }
  if (!found) return;
  std::error_code ignored;
  if (rest.empty()) {
    std::filesystem::remove(path_, ignored);
    return;
  }
  const std::string made = path_ + ".new";
  std::ofstream(made, std::ios::trunc) << rest;
  std::filesystem::rename(made, path_, ignored);
}

}  // namespace idzone::replica
