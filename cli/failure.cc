// SPDX-License-Identifier: MIT
#include "cli/failure.h"

#include <ostream>

#include <grpcpp/support/status.h>
#include <nlohmann/json.hpp>

#include "services/rpc/error_mapping.h"

namespace idzone::cli {

Failure Refused(std::string what, const grpc::Status& status) {
  Error error = rpc::ErrorFromStatus(status);
  const ExitCode exit_code = ExitCodeOf(error.reason);
  return {std::move(what), std::move(error), exit_code};
}

Failure Misused(std::string what, Error error) {
  return {std::move(what), std::move(error), ExitCode::kUsage};
}

void WriteFailure(std::ostream& err, OutputFormat format, const Failure& failure) {
  const Error& error = failure.error;
  const std::string_view advice = Advice(error.reason);
  const std::string reason(ReasonName(error.reason));
  if (format != OutputFormat::kTable) {
    Json object = {{"what", failure.what}, {"reason", reason}, {"field", error.subject}, {"expected", error.expected}, {"met", error.met}};
    if (!advice.empty()) object["advice"] = std::string(advice);
    object["exit_code"] = static_cast<int>(failure.exit_code);
    WriteObject(err, OutputFormat::kJsonLines, Json{{"error", std::move(object)}});
    return;
  }
  err << "idzone: cannot " << CellText(Json(failure.what)) << ": " << reason << '\n';
  const auto line = [&err](const char* title, const std::string& text) {
    if (!text.empty()) err << "  " << title << CellText(Json(text)) << '\n';
  };
  line("field:     ", error.subject);
  line("expected:  ", error.expected);
  line("met:       ", error.met);
  line("to do:     ", std::string(advice));
}

}  // namespace idzone::cli
