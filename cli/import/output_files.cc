// SPDX-License-Identifier: MIT
#include "cli/import/output_files.h"

#include <cerrno>
#include <cstring>

#include <nlohmann/json.hpp>

#include "cli/output/resource.h"

namespace idzone::cli {

Result<void> ResultsFile::Open() {
  stream_.open(file_, std::ios::binary | std::ios::trunc);
  if (!stream_) return Fail(Reason::kNotFound, file_.string(), "a file that can be created", std::strerror(errno));
  return {};
}

void ResultsFile::Write(const ImportResult& result) {
  Json object = {{"line", result.line},
                 {"id", result.id},
                 {"owner_name", result.owner_name},
                 {"fingerprint", HexEncode(result.fingerprint)},
                 {"version", nullptr},
                 {"status", result.already ? "already" : "enrolled"}};
  if (result.version) object["version"] = VersionJson(result.version->epoch, result.version->serial);
  stream_ << object.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
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
