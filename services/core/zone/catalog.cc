// SPDX-License-Identifier: MIT
#include "services/core/zone/catalog.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "services/core/base/limits.h"

namespace idzone::zone {
namespace {

Result<void> ReadLine(std::string_view line, const std::string& subject, Catalog& catalog, bool& named) {
  const std::size_t blank = line.find(' ');
  const std::string_view word = line.substr(0, blank);
  const std::string_view value = blank == std::string_view::npos ? std::string_view() : line.substr(blank + 1);
  if (word == "serial") {
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), catalog.serial);
    if (failure != std::errc() || end != value.data() + value.size() || catalog.serial == 0)
      return Fail(Reason::kValueMalformed, subject, "a serial, 1 to 4294967295", std::string(value.substr(0, 40)));
    return {};
  }
  if (word != "catalog" && word != "zone")
    return Fail(Reason::kValueMalformed, subject, "catalog, serial or zone, and its value", std::string(word.substr(0, 40)));
  auto name = dns::Name::Parse(value, subject);
  if (!name) return tl::unexpected(name.error());
  if (word == "catalog") {
    if (named) return Fail(Reason::kValueMalformed, subject, "one catalog line", "another");
    catalog.name = *std::move(name);
    named = true;
    return {};
  }
  if (catalog.zones.size() == limits::kCatalogZonesMax)
    return Fail(Reason::kLimitExceeded, subject, "at most " + std::to_string(limits::kCatalogZonesMax) + " zones", "more");
  catalog.zones.push_back(*std::move(name));
  return {};
}

}  // namespace

Result<Catalog> ParseCatalog(std::string_view text) {
  Catalog catalog;
  bool named = false;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.empty()) continue;
    if (auto read = ReadLine(line, "catalog, line " + std::to_string(number), catalog, named); !read) return tl::unexpected(read.error());
  }
  if (!named || catalog.serial == 0) return Fail(Reason::kValueMissing, "catalog", "a catalog line and a serial line", "none");
  std::sort(catalog.zones.begin(), catalog.zones.end());
  catalog.zones.erase(std::unique(catalog.zones.begin(), catalog.zones.end()), catalog.zones.end());
  return catalog;
}

std::string FormatCatalog(const Catalog& catalog) {
  std::string text = "catalog " + catalog.name.Format() + "\nserial " + std::to_string(catalog.serial) + "\n";
  for (const dns::Name& zone : catalog.zones) text += "zone " + zone.Format() + "\n";
  return text;
}

bool AddZones(Catalog& catalog, const std::vector<dns::Name>& zones) {
  std::vector<dns::Name> sorted = zones;
  std::sort(sorted.begin(), sorted.end());
  std::vector<dns::Name> all;
  std::set_union(catalog.zones.begin(), catalog.zones.end(), sorted.begin(), sorted.end(), std::back_inserter(all));
  if (all.size() == catalog.zones.size() || all.size() > limits::kCatalogZonesMax) return false;
  catalog.zones = std::move(all);
  return true;
}

dns::Serial NextCatalogSerial(dns::Serial last, UnixTime now) {
  const dns::Serial time = ToRrsigTime(now);
  return last == 0 || dns::SerialLess(last, time) ? time : dns::NextSerial(last);
}

}  // namespace idzone::zone
