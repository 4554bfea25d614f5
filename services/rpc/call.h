// SPDX-License-Identifier: MIT
#pragma once

#include <grpcpp/server_context.h>

#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include "services/core/base/clock.h"
#include "services/rpc/access_table.h"
#include "services/rpc/caller.h"
#include "services/rpc/client_authority.h"
#include "services/rpc/error_mapping.h"
#include "services/rpc/message_check.h"

namespace prometheus {
class Registry;
}

/// The one call wrapper: every RPC of every server passes it. It finds out who calls, looks the method up in the access
/// table, refuses unknown fields, runs the work, turns its error into a status, logs the call and counts it.
namespace idzone::rpc {

/// Counts and times calls by method and outcome. Threads: any.
class CallMetrics {
 public:
  explicit CallMetrics(prometheus::Registry& registry);
  ~CallMetrics();
  void Observe(std::string_view method, std::string_view code, std::chrono::duration<double> duration);

 private:
  struct Families;
  const std::unique_ptr<Families> families_;
};

/// One call from its admission to its end. Streams keep it; unary calls go through CallGate::Serve.
class Call {
 public:
  const Caller& caller() const { return caller_; }
  std::string_view method() const { return method_; }

 private:
  friend class CallGate;
  std::string_view method_;
  Caller caller_;
  bool changes_ = false;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

class CallGate {
 public:
  /// All must outlive the gate; `metrics` may be null.
  struct Parts {
    ClientAuthority& authority;
    CallerDirectory& directory;
    const AccessTable& table;
    const Clock& clock;
    CallMetrics* metrics = nullptr;
  };
  explicit CallGate(const Parts& parts) : parts_(parts) {}

  /// Identifies the caller and checks his role; a refusal is logged and counted.
  /// CERTIFICATE_*, PRINCIPAL_*, ROLE_MISSING, UNAVAILABLE; INTERNAL for a method without a row.
  Result<Call> Admit(grpc::ServerContextBase& context, std::string_view method);

  /// Checks again that the caller of a long stream may go on: his certificate and his principal.
  Result<void> CheckAgain(grpc::ServerContextBase& context, const Call& call);

  /// Ends a call: logs and counts it. `note` is for the log, for example "items=12". Returns its status.
  grpc::Status Finish(const Call& call, const Result<void>& outcome, std::string_view note = "");

  /// Serves a unary call, or one that answers with a stream. `work` takes the Caller and returns Result<void>.
  template <typename Request, typename Work>
  grpc::Status Serve(grpc::ServerContext* context, std::string_view method, const Request& request, Work&& work) {
    const Result<Call> call = Admit(*context, method);
    if (!call) return ToStatus(call.error());
    if (const auto known = CheckKnown(request); !known) return Finish(*call, known);
    try {
      return Finish(*call, work(call->caller()));
    } catch (const std::exception& exception) {
      return Finish(*call, Escaped(*call, exception));
    }
  }

 private:
  Result<Caller> Identify(const grpc::ServerContextBase& context);
  Result<void> Escaped(const Call& call, const std::exception& exception);

  const Parts parts_;
};

}  // namespace idzone::rpc
