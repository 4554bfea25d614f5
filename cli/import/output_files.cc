// SPDX-License-Identifier: MIT
#include "cli/import/output_files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <nlohmann/json.hpp>

#include "cli/output/resource.h"

namespace idzone::cli {
namespace {

/// Returns a JSON string. What needs no escape is nearly everything.
std::string Quoted(const std::string& text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
  return plain ? '"' + text + '"' : Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Result<void> ResultsFile::Open() {
  stream_.open(file_, std::ios::binary | std::ios::trunc);
  if (!stream_) return Fail(Reason::kNotFound, file_.string(), "a file that can be created", std::strerror(errno));
  return {};
}

// Written out, because a million objects that are built to be printed cost an import a tenth of its client's time.
void ResultsFile::Write(const ImportResult& result) {
  stream_ << R"({"line":)" << result.line << R"(,"id":)" << Quoted(result.id) << R"(,"owner_name":)" << Quoted(result.owner_name)
          << R"(,"fingerprint":")" << HexEncode(result.fingerprint) << R"(","version":)";
  if (result.version) {
    stream_ << VersionJson(result.version->epoch, result.version->serial).dump();
  } else {
    stream_ << "null";
  }
  stream_ << R"(,"status":")" << (result.already ? "already" : "enrolled") << "\"}\n";
}

Result<void> ResultsFile::Close() {
  stream_.close();
  if (!stream_) return Fail(Reason::kInternal, file_.string(), "to be written whole", "a write error");
  return {};
}

Result<void> FailedFile::Clear() {
  std::error_code error;
  std::filesystem::remove(file_, error);
  if (error) return Fail(Reason::kNotFound, file_.string(), "a file that can be replaced", error.message());
  return {};
}

void FailedFile::Write(const ImportFault& fault) {
  if (!begun_) {
    begun_ = true;
    stream_.open(file_, std::ios::binary | std::ios::trunc);
    if (const std::string header = source_.FailedHeader(); !header.empty()) stream_ << header << '\n';
  }
  stream_ << source_.FailedLine(fault) << '\n';
}

Result<void> FailedFile::Close() {
  if (!begun_) return {};
  stream_.close();
  if (!stream_) return Fail(Reason::kInternal, file_.string(), "to be written whole", "a write error");
  return {};
}

tl::expected<void, Failure> CloseOutputs(const std::string& what, ResultsFile& results, FailedFile& failed) {
  const Result<void> results_closed = results.Close();
  const Result<void> failed_closed = failed.Close();
  for (const Result<void>* closed : {&results_closed, &failed_closed}) {
    if (!*closed) return tl::unexpected(Failure{what, closed->error(), ExitCode::kOther});
  }
  return {};
}

}  // namespace idzone::cli
