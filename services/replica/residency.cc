// SPDX-License-Identifier: MIT
#include "services/replica/residency.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace idzone::replica {
namespace {

/// Large enough for the disk, small enough for the caches.
constexpr std::size_t kPieceOctets = std::size_t{256} << 10;

tl::unexpected<Error> Failed(const std::string& what, int code) {
  return Fail(Reason::kUnavailable, "replica", what, std::strerror(code));
}

/// Returns how much of the file counts.
Result<std::uint64_t> UsedOf(const Environment& environment) {
  struct stat status = {};
  if (fstat(environment.Descriptor(), &status) != 0) return Failed("a data file", errno);
  return std::min<std::uint64_t>(environment.UsedOctets(), static_cast<std::uint64_t>(status.st_size));
}

/// Returns for each page of the used part whether it is in memory.
Result<std::vector<unsigned char>> Pages(const Environment& environment, std::size_t used, std::size_t page) {
  std::vector<unsigned char> pages((used + page - 1) / page);
  if (pages.empty()) return pages;
  // A map of its own: LMDB does not tell where its map lies.
  void* map = mmap(nullptr, used, PROT_READ, MAP_SHARED, environment.Descriptor(), 0);
  if (map == MAP_FAILED) return Failed("a map of the file", errno);
  const int code = mincore(map, used, pages.data()) == 0 ? 0 : errno;
  munmap(map, used);
  if (code != 0) return Failed("to know which pages are in memory", code);
  return pages;
}

bool IsThere(unsigned char page) {
  return (page & 1) != 0;
}

}  // namespace

Result<Residency> MeasureResidency(const Environment& environment) {
  const auto used = UsedOf(environment);
  if (!used) return tl::unexpected(used.error());
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const auto pages = Pages(environment, *used, page);
  if (!pages) return tl::unexpected(pages.error());
  const auto there = static_cast<std::uint64_t>(std::count_if(pages->begin(), pages->end(), IsThere));
  return Residency{*used, std::min(there * page, *used)};
}

Result<std::uint64_t> BringIntoMemory(const Environment& environment, bool all) {
  const auto used = UsedOf(environment);
  if (!used) return tl::unexpected(used.error());
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const auto pages = Pages(environment, *used, page);
  if (!pages) return tl::unexpected(pages.error());
  std::vector<char> piece(kPieceOctets);
  const std::size_t pages_per_piece = kPieceOctets / page;
  std::uint64_t read = 0;
  for (std::size_t first = 0; first < pages->size(); first += pages_per_piece) {
    const auto begin = pages->begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = pages->begin() + static_cast<std::ptrdiff_t>(std::min(first + pages_per_piece, pages->size()));
    if (!all && std::all_of(begin, end, IsThere)) continue;
    const ssize_t got = pread(environment.Descriptor(), piece.data(), piece.size(), static_cast<off_t>(first * page));
    if (got < 0) return Failed("a file that can be read", errno);
    read += static_cast<std::uint64_t>(got);
  }
  return read;
}

}  // namespace idzone::replica
