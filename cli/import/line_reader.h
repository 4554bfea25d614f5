// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <istream>
#include <optional>
#include <string>

namespace idzone::cli {

/// The largest record of an import file: the largest material (16 KiB) in base64 with line ends, an id, and room for
/// columns of the caller's own.
inline constexpr std::size_t kImportRecordOctetsMax = 64 * 1024;

/// Lines of a file of any size in bounded memory: LF or CRLF, a byte order mark at the beginning is skipped, the last line
/// may lack its end. A longer line than the limit is cut and marked.
class LineReader {
 public:
  struct Line {
    std::uint64_t number = 0;  // from 1
    std::string text;          // without the line end
    bool too_long = false;
  };

  /// `stream` must outlive the reader.
  explicit LineReader(std::istream& stream) : stream_(stream) {}

  /// Returns nothing at the end of the file, or when reading failed: see failed().
  std::optional<Line> Next();

  bool failed() const { return stream_.bad(); }
  /// How much has been read; may be called from any thread.
  std::uint64_t octets_read() const { return octets_read_.load(std::memory_order_relaxed); }

 private:
  bool Fill();

  std::istream& stream_;
  std::string buffer_;
  std::size_t position_ = 0;
  std::uint64_t line_number_ = 0;
  std::atomic<std::uint64_t> octets_read_ = 0;
};

}  // namespace idzone::cli
