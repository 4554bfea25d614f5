// SPDX-License-Identifier: MIT
#include "cli/import/csv.h"

namespace idzone::cli {
namespace {

constexpr std::size_t kBrokenTextMax = 1024;

/// Takes a record's lines one after the other.
class RecordParser {
 public:
  enum class State { kOpen, kDone, kBroken };  // kOpen: inside quotes, another line is needed

  State Take(std::string_view line) {
    if (in_quotes_) field_.push_back('\n');
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      if (in_quotes_) {
        if (c != '"') {
          field_.push_back(c);
        } else if (i + 1 < line.size() && line[i + 1] == '"') {
          field_.push_back('"');
          ++i;
        } else {
          in_quotes_ = false;
          quoted_ = true;
        }
      } else if (c == ',') {
        EndField();
      } else if (quoted_) {
        fault_ = "text after a closing quote, in field " + std::to_string(fields_.size() + 1);
        return State::kBroken;
      } else if (c == '"') {
        if (!field_.empty()) {
          fault_ = "a quote inside an unquoted field, in field " + std::to_string(fields_.size() + 1);
          return State::kBroken;
        }
        in_quotes_ = true;
      } else {
        field_.push_back(c);
      }
    }
    if (in_quotes_) return State::kOpen;
    EndField();
    return State::kDone;
  }

  std::vector<std::string>& fields() { return fields_; }
  const std::string& fault() const { return fault_; }

 private:
  void EndField() {
    fields_.push_back(std::move(field_));
    field_.clear();
    quoted_ = false;
  }

  std::vector<std::string> fields_;
  std::string field_;
  std::string fault_;
  bool in_quotes_ = false;
  bool quoted_ = false;  // the field was quoted and its quote is closed
};

/// Whether a line begins a record of that many fields, as far as one line can tell.
bool LooksLikeRecord(const LineReader::Line& line, std::size_t field_count) {
  if (line.too_long) return false;
  RecordParser parser;
  switch (parser.Take(line.text)) {
    case RecordParser::State::kDone: return parser.fields().size() == field_count;
    case RecordParser::State::kOpen: return parser.fields().size() < field_count;
    case RecordParser::State::kBroken: return false;
  }
  return false;
}

}  // namespace

std::optional<LineReader::Line> CsvReader::NextLine() {
  if (pushed_back_.empty()) return lines_.Next();
  LineReader::Line line = std::move(pushed_back_.front());
  pushed_back_.pop_front();
  return line;
}

std::optional<CsvRecord> CsvReader::Next() {
  std::deque<LineReader::Line> taken;
  RecordParser parser;
  std::size_t size = 0;
  while (std::optional<LineReader::Line> line = NextLine()) {
    if (taken.empty() && line->text.empty() && !line->too_long) continue;
    size += line->text.size() + 1;
    const bool too_long = line->too_long || size > kImportRecordOctetsMax;
    taken.push_back(std::move(*line));
    if (too_long) return Broken(std::move(taken), "a record over 64 KiB, or a quote that is never closed");
    switch (parser.Take(taken.back().text)) {
      case RecordParser::State::kOpen: continue;
      case RecordParser::State::kBroken: return Broken(std::move(taken), parser.fault());
      case RecordParser::State::kDone: break;
    }
    CsvRecord record{.line = taken.front().number, .fields = std::move(parser.fields()), .fault = {}, .text = {}};
    if (field_count_ != 0 && record.fields.size() != field_count_)
      return Broken(std::move(taken),
                    std::to_string(record.fields.size()) + " fields where the header has " + std::to_string(field_count_));
    return record;
  }
  if (taken.empty()) return std::nullopt;
  return Broken(std::move(taken), "a quote that is never closed");
}

CsvRecord CsvReader::Broken(std::deque<LineReader::Line> lines, std::string fault) {
  CsvRecord record{
      .line = lines.front().number, .fields = {}, .fault = std::move(fault), .text = lines.front().text.substr(0, kBrokenTextMax)};
  lines.pop_front();
  // The lines behind the first are looked at again, in front of what had been pushed back already.
  pushed_back_.insert(pushed_back_.begin(), std::make_move_iterator(lines.begin()), std::make_move_iterator(lines.end()));
  while (std::optional<LineReader::Line> line = NextLine()) {
    if (LooksLikeRecord(*line, field_count_)) {
      pushed_back_.push_front(std::move(*line));
      break;
    }
    if (record.text.size() < kBrokenTextMax) record.text += '\n' + line->text.substr(0, kBrokenTextMax - record.text.size());
  }
  return record;
}

std::string CsvField(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted.push_back('"');
    quoted.push_back(c);
  }
  quoted.push_back('"');
  return quoted;
}

}  // namespace idzone::cli
