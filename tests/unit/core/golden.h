// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace idzone::testing {

/// Returns a file of tests/golden, which another implementation made.
inline std::string Golden(const std::string& path) {
  std::ifstream file(std::string(IDZONE_SOURCE_DIR) + "/tests/golden/" + path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Returns the words of each line of a golden table.
inline std::vector<std::vector<std::string>> GoldenTable(const std::string& path) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(Golden(path));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    rows.push_back({std::istream_iterator<std::string>(words), {}});
  }
  EXPECT_FALSE(rows.empty()) << path;
  return rows;
}

}  // namespace idzone::testing
