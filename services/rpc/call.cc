// SPDX-License-Identifier: MIT
#include "services/rpc/call.h"

#include <grpc/grpc_security_constants.h>
#include <openssl/rand.h>

#include <algorithm>

#include "services/process/log.h"

namespace idzone::rpc {
namespace {

using process::LogLevel;

constexpr char kRequestIdKey[] = "x-request-id";
constexpr std::size_t kRequestIdMax = 64;

OctetsView View(const grpc::string_ref& text) {
  return {text.data(), text.size()};
}

OctetsView Property(const grpc::ServerContextBase& context, const char* name) {
  const auto auth = context.auth_context();
  if (auth == nullptr) return {};
  const auto values = auth->FindPropertyValues(name);
  return values.empty() ? OctetsView() : View(values.front());
}

/// Returns the client's request id when it is short and printable, otherwise a random one.
std::string RequestId(const grpc::ServerContextBase& context) {
  const auto found = context.client_metadata().find(kRequestIdKey);
  if (found != context.client_metadata().end()) {
    const OctetsView given = View(found->second);
    const bool printable = std::all_of(given.begin(), given.end(), [](char c) { return c > ' ' && c < 0x7f; });
    if (!given.empty() && given.size() <= kRequestIdMax && printable) return std::string(given);
  }
  Octets random(8, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(random.data()), static_cast<int>(random.size()));
  return HexEncode(random);
}

/// A refusal that only says that the database is away, or a fault of ours, deserves the operator's eye.
LogLevel LevelOf(const Error& error) {
  const grpc::StatusCode code = StatusCodeOf(error.reason);
  if (code == grpc::StatusCode::INTERNAL) return LogLevel::kError;
  return code == grpc::StatusCode::UNAVAILABLE ? LogLevel::kWarning : LogLevel::kInfo;
}

}  // namespace

Result<Caller> CallGate::Identify(const grpc::ServerContextBase& context) {
  const auto fingerprint = parts_.authority.Judge(Property(context, GRPC_X509_PEM_CERT_PROPERTY_NAME),
                                                  Property(context, GRPC_X509_PEM_CERT_CHAIN_PROPERTY_NAME), parts_.clock.Now());
  if (!fingerprint) return tl::unexpected(fingerprint.error());
  return parts_.directory.Find(*fingerprint);
}

Result<Call> CallGate::Admit(grpc::ServerContextBase& context, std::string_view method) {
  Call call;
  call.method_ = method;
  const AccessRow* row = parts_.table.Find(method);
  const auto refuse = [&](const Error& error) -> Result<Call> {
    Finish(call, tl::unexpected(error), "peer=" + context.peer());
    return tl::unexpected(error);
  };
  const std::string request_id = RequestId(context);
  context.AddInitialMetadata(kRequestIdKey, request_id);
  call.caller_.request_id = request_id;
  if (row == nullptr) return refuse({Reason::kInternal, std::string(method), "a row in the access table", "none"});
  auto caller = Identify(context);
  if (!caller) return refuse(caller.error());
  call.caller_ = std::move(*caller);
  call.caller_.request_id = request_id;
  call.changes_ = row->changes;
  if (!row->roles.Has(call.caller_.role))
    return refuse({Reason::kRoleMissing, "caller", "role " + row->roles.Format(), "role " + std::string(RoleName(call.caller_.role))});
  return call;
}

Result<void> CallGate::CheckAgain(grpc::ServerContextBase& context, const Call& call) {
  const auto caller = Identify(context);
  if (!caller) return tl::unexpected(caller.error());
  const bool same =
      caller->role == call.caller_.role && caller->name() == call.caller_.name() && caller->registered_at == call.caller_.registered_at;
  if (!same) return Fail(Reason::kPrincipalUnknown, "caller", "the principal that began the stream", "another one");
  return {};
}

grpc::Status CallGate::Finish(const Call& call, const Result<void>& outcome, std::string_view note) {
  const auto duration = std::chrono::duration<double>(std::chrono::steady_clock::now() - call.started_);
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  const std::string fingerprint = HexEncode(call.caller_.fingerprint).substr(0, 16);
  if (parts_.metrics != nullptr) parts_.metrics->Observe(call.method_, outcome ? "OK" : ReasonName(outcome.error().reason), duration);
  if (outcome) {
    process::Log(call.changes_ ? LogLevel::kInfo : LogLevel::kDebug, "rpc.served",
                 {{"request_id", call.caller_.request_id},
                  {"method", call.method_},
                  {"caller", call.caller_.name()},
                  {"fingerprint", fingerprint},
                  {"microseconds", microseconds},
                  {"note", note}});
    return grpc::Status::OK;
  }
  process::LogError(LevelOf(outcome.error()), "rpc.refused", outcome.error(),
                    {{"request_id", call.caller_.request_id},
                     {"method", call.method_},
                     {"caller", call.caller_.name()},
                     {"fingerprint", fingerprint},
                     {"microseconds", microseconds},
                     {"note", note}});
  return ToStatus(outcome.error());
}

Result<void> CallGate::Escaped(const Call& call, const std::exception& exception) {
  process::Log(LogLevel::kError, "rpc.exception", {{"request_id", call.caller_.request_id}, {"what", exception.what()}});
  return Fail(Reason::kInternal, "server", "", "a failure (see the server's log)");
}

}  // namespace idzone::rpc
