// SPDX-License-Identifier: MIT
#include "cli/output/yaml.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <ostream>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace idzone::cli {
namespace {

bool MayBePlain(const std::string& text) {
  // YAML 1.1 readers take these words for booleans and nothing.
  static constexpr std::array<std::string_view, 11> kWords = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"};
  if (text.empty() || (std::isalpha(static_cast<unsigned char>(text.front())) == 0 && text.front() != '_')) return false;
  const bool sound = std::all_of(text.begin(), text.end(),
                                 [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.' || c == '/'; });
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return sound && std::find(kWords.begin(), kWords.end(), lower) == kWords.end();
}

std::string Scalar(const Json& value) {
  if (value.is_string() && MayBePlain(value.get_ref<const std::string&>())) return value.get<std::string>();
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool IsBlock(const Json& value) {
  return (value.is_object() || value.is_array()) && !value.empty();
}

void WriteBlock(std::ostream& out, const Json& value, std::size_t indent, bool first_in_line) {
  const std::string margin(indent, ' ');
  for (const auto& [key, element] : value.items()) {
    if (!first_in_line) out << margin;
    first_in_line = false;
    if (value.is_array()) {
      out << '-';
    } else {
      out << Scalar(Json(key)) << ':';
    }
    if (!IsBlock(element)) {
      out << ' ' << Scalar(element) << '\n';
    } else if (value.is_array()) {
      // "- key: value": the first line of the element stands behind its dash.
      out << ' ';
      WriteBlock(out, element, indent + 2, true);
    } else {
      out << '\n';
      WriteBlock(out, element, indent + 2, false);
    }
  }
}

}  // namespace

void WriteYaml(std::ostream& out, const Json& value) {
  if (IsBlock(value)) {
    WriteBlock(out, value, 0, false);
  } else {
    out << Scalar(value) << '\n';
  }
}

}  // namespace idzone::cli
