// SPDX-License-Identifier: MIT
#include "cli/import/line_reader.h"

#include <algorithm>

namespace idzone::cli {
namespace {

constexpr std::size_t kChunkOctets = 64 * 1024;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

bool LineReader::Fill() {
  if (position_ < buffer_.size()) return true;
  buffer_.resize(kChunkOctets);
  stream_.read(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  buffer_.resize(static_cast<std::size_t>(stream_.gcount()));
  octets_read_.fetch_add(buffer_.size(), std::memory_order_relaxed);
  position_ = 0;
  return !buffer_.empty();
}

std::optional<LineReader::Line> LineReader::Next() {
  if (!Fill()) return std::nullopt;
  Line line{.number = ++line_number_, .text = {}, .too_long = false};
  for (bool ended = false; !ended && Fill();) {
    const std::size_t end = buffer_.find('\n', position_);
    ended = end != std::string::npos;
    const std::size_t count = (ended ? end : buffer_.size()) - position_;
    const std::size_t room = kImportRecordOctetsMax - line.text.size();
    line.text.append(buffer_, position_, std::min(count, room));
    line.too_long = line.too_long || count > room;
    position_ += count + (ended ? 1 : 0);
  }
  if (line.number == 1 && line.text.starts_with(kByteOrderMark)) line.text.erase(0, kByteOrderMark.size());
  if (line.text.ends_with('\r')) line.text.pop_back();
  return line;
}

}  // namespace idzone::cli
