// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "services/core/base/error.h"

/// Where the name servers of a host write what they have served, for idzone-replicad to export: a name server that holds
/// nothing and listens to nobody but DNS clients has no web server.
///
/// Strategy: a file `figures` beside the replica, which idzone-replicad makes; each name server takes a seat in it by a
/// lock that ends with its process, and overwrites its figures once a second. Layout, in the host's octet order:
///   0     8 octets "IDZFIG\0\1", the last one the version
///   512   16 seats of 256 octets: u64 figures in the order of `Figure`, the rest 0
/// Errors: NOT_FOUND when there is no such file yet, LIMIT_EXCEEDED when every seat is taken, UNAVAILABLE for what the
/// kernel refuses. Threads: one at a time.
namespace idzone::replica {

/// Counters since the process started, unless said otherwise. Numbers are never given another meaning.
enum class Figure : unsigned {
  kNoError = 0,
  kNxDomain = 1,
  kServFail = 2,
  kRefused = 3,
  kOtherCode = 4,
  kUdpAnswers = 5,
  kTcpAnswers = 6,
  kCacheHits = 7,
  kCacheMisses = 8,
  kCacheEntries = 9,       // now
  kNamesForgotten = 10,    // by name, repeats included
  kAllForgotten = 11,      // times that everything was
  kForbiddenRecords = 12,  // met in the replica and not served
  kSignatureExpiry = 13,   // Unix time: the earliest end of a signature served in the last minute or two; 0: none was
  kWritten = 14,           // Unix time
};
inline constexpr std::size_t kFigureCount = 15;
using Figures = std::array<std::uint64_t, kFigureCount>;

constexpr std::size_t Index(Figure figure) {
  return static_cast<std::size_t>(figure);
}

class FigureBoard {
 public:
  static constexpr unsigned kSeats = 16;

  /// Opens the file, or makes it; one of another version is replaced. For the one who reads.
  static Result<std::unique_ptr<FigureBoard>> Create(const std::string& directory);
  /// Opens the file and takes a seat for as long as the object lives. For those who write.
  static Result<std::unique_ptr<FigureBoard>> TakeSeat(const std::string& directory);
  ~FigureBoard();
  FigureBoard(const FigureBoard&) = delete;
  FigureBoard& operator=(const FigureBoard&) = delete;

  /// Requires: a seat.
  Result<void> Write(const Figures& figures);

  struct Seat {
    unsigned number;
    Figures figures;
  };
  /// Returns the seats whose name server is alive and has written.
  Result<std::vector<Seat>> Read() const;

 private:
  explicit FigureBoard(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
  unsigned seat_ = kSeats;
};

}  // namespace idzone::replica
