// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace idzone::cli {

/// Remembers which ids a file has had, in 8 to 16 octets each: a million devices cost 16 MiB. Only a 64-bit digest is kept,
/// so one in some hundred thousand files of ten million ids would see an id taken for a duplicate of another.
/// Limits: beyond kIdsMax nothing more is remembered; a later duplicate is then for the server to judge, which does.
class IdSet {
 public:
  static constexpr std::size_t kIdsMax = std::size_t{1} << 25;

  IdSet();

  /// Returns false when `id` was there already.
  bool Insert(std::string_view id);

 private:
  bool Place(std::vector<std::uint64_t>& slots, std::uint64_t digest) const;
  void Grow();

  std::vector<std::uint64_t> slots_;  // open addressing; 0 is an empty slot
  std::size_t count_ = 0;
};

}  // namespace idzone::cli
