// SPDX-License-Identifier: MIT
#include "services/provisioning/service.h"

#include "services/core/base/limits.h"
#include "services/process/lifecycle.h"
#include "services/process/log.h"
#include "services/provisioning/access.h"
#include "services/provisioning/edge_handler.h"
#include "services/provisioning/enrollment_handler.h"
#include "services/provisioning/identity_handler.h"
#include "services/provisioning/key_handler.h"
#include "services/provisioning/namespace_handler.h"
#include "services/provisioning/operator_handler.h"
#include "services/provisioning/policy_handler.h"
#include "services/provisioning/zone_handler.h"
#include "services/rpc/server.h"
#include "services/store/database.h"
#include "services/store/migration.h"

namespace idzone::provisioning {
namespace {

using process::LogLevel;
using std::chrono::milliseconds;

/// While one batch waits for the disk, the other can be built.
constexpr std::size_t kEnrollWorkers = 2;
constexpr std::size_t kRevokeWorkers = 1;
constexpr milliseconds kHealthEvery(1'000);
constexpr milliseconds kDrainMax(20'000);

/// Plans are forced onto the indexes: a plan made while a table was nearly empty would otherwise be kept while it grows. None is
/// compiled: where a forced plan seems to be dear, that would take longer than many runs of it.
store::DatabaseOptions DatabaseOptionsFor(const process::Config& config, const char* purpose, std::size_t connections) {
  store::DatabaseOptions options;
  options.url = config.Text("database.url");
  options.application_name = std::string("idzone-provisiond ") + purpose;
  options.connections_max = connections;
  options.settings = {{"enable_seqscan", "off"}, {"enable_hashjoin", "off"}, {"enable_mergejoin", "off"}, {"jit", "off"}};
  options.on_failure = [purpose](std::string_view sqlstate, std::string_view message) {
    process::Log(LogLevel::kWarning, "database.failed", {{"purpose", purpose}, {"sqlstate", sqlstate}, {"message", message}});
  };
  return options;
}

/// Everything that serves, in the order in which it must be made and the reverse of the order in which it must end.
/// Revocations have a connection of their own: no crowd of enrollments can stand in their way.
struct Parts {
  store::Database reads;
  store::Database enrollments;
  store::Database revocations;
  process::SystemClock clock;
  rpc::CallMetrics metrics;
  PrincipalDirectory principals{reads};
  NamespaceDirectory namespaces{reads};
  Naming naming;
  rpc::CallGate gate;
  store::EnrollmentOutlook outlook;
  EnrollmentCommitter enroll{
      {kEnrollWorkers, limits::kEnrollBatchMax, limits::kEnrollQueueMax},
      [this](const std::vector<store::Enrollment>& items) { return store::EnrollBatch(enrollments, items, outlook); }};
  RevocationCommitter revoke{{kRevokeWorkers, limits::kEnrollBatchMax, limits::kEnrollQueueMax},
                             [this](const std::vector<store::Revocation>& items) { return store::RevokeBatch(revocations, items); }};
  EnrollmentWorkflow workflow{namespaces, naming, enroll};
  EnrollmentHandler enrollment_handler{gate, reads, workflow};
  IdentityHandler identity_handler{gate, reads, namespaces, workflow, revoke};
  NamespaceHandler namespace_handler{gate, reads, naming};
  OperatorHandler operator_handler{gate, reads, principals};
  PolicyHandler policy_handler{gate, reads};
  ZoneHandler zone_handler{gate, reads};
  KeyHandler key_handler{gate, reads};
  EdgeHandler edge_handler{gate, reads};

  Parts(const process::Config& config, rpc::ClientAuthority& authority, std::optional<sealing::KeyEncryptionKey> secrets_key,
        prometheus::Registry& registry)
      : reads(DatabaseOptionsFor(config, "reads", static_cast<std::size_t>(config.Integer("database.connections")))),
        enrollments(DatabaseOptionsFor(config, "enrollments", kEnrollWorkers)),
        revocations(DatabaseOptionsFor(config, "revocations", kRevokeWorkers)),
        metrics(registry),
        naming(std::move(secrets_key)),
        gate({authority, principals, ProvisioningAccess(), clock, &metrics}) {}
};

/// Readiness follows the database, checked once a second. Until its schema was once right, nothing is served.
class Health {
 public:
  Health(process::DaemonContext& context, rpc::Server& server) : context_(context), server_(server) {}

  void Check(store::Database& database) {
    const Result<void> checked = schema_checked_ ? database.Ping() : store::CheckSchema(database);
    schema_checked_ = schema_checked_ || checked;
    if (checked) {
      if (!context_.observatory.ready()) process::Log(LogLevel::kInfo, "provisioning.ready", {{"port", server_.port()}});
      context_.observatory.SetReady();
    } else {
      if (context_.observatory.ready() || !told_) process::LogError(LogLevel::kWarning, "provisioning.not_ready", checked.error());
      told_ = true;
      context_.observatory.SetNotReady(std::string(ReasonName(checked.error().reason)) + " " + checked.error().Detail());
    }
    server_.SetServing(checked.has_value());
  }

 private:
  process::DaemonContext& context_;
  rpc::Server& server_;
  bool schema_checked_ = false;
  bool told_ = false;
};

/// Waits for PostgreSQL with bounded patience between the tries. SCHEMA_MISMATCH ends the program: only `idzone migrate`
/// or another release can help, and a supervisor starts it again.
Result<void> AwaitSchema(process::DaemonContext& context, store::Database& database) {
  process::Backoff backoff(milliseconds(100), milliseconds(5'000));
  while (!context.stop.stop_requested()) {
    const Result<void> checked = store::CheckSchema(database);
    if (checked || checked.error().reason == Reason::kSchemaMismatch) return checked;
    process::LogError(LogLevel::kWarning, "provisioning.not_ready", checked.error());
    context.observatory.SetNotReady(std::string(ReasonName(checked.error().reason)) + " " + checked.error().Detail());
    process::SleepFor(context.stop, backoff.Next());
  }
  return {};
}

}  // namespace

std::vector<process::ConfigKey> ConfigKeys() {
  return {process::OptionalText("listen.address", "127.0.0.1:7443", "host:port of the gRPC service"),
          process::RequiredText("tls.certificate", "PEM file: the server's certificate chain; read again when it changes"),
          process::RequiredText("tls.private_key", "PEM file: its private key"),
          process::RequiredText("tls.client_ca", "PEM file: the authorities of client certificates; read again when it changes"),
          process::OptionalText("secrets.kek_file", "",
                                "file with the key that seals what makes private labels: 32 octets or 64 hex digits, mode 0600 or 0400"),
          process::RequiredText("database.url", "libpq URL, for the role idzone_provisiond"),
          process::OptionalInteger("database.connections", 4, 1, 64, "connections for reading; three more are for writing")};
}

Result<void> Run(process::DaemonContext& context) {
  process::SystemClock clock;
  auto authority = rpc::ClientAuthority::Open(context.config.Text("tls.client_ca"), clock.Now());
  if (!authority) return tl::unexpected(authority.error());
  std::optional<sealing::KeyEncryptionKey> secrets_key;
  if (const std::string file = context.config.Text("secrets.kek_file"); !file.empty()) {
    if (auto forbidden = sealing::ForbidCoreDumps(); !forbidden) return forbidden;
    auto key = sealing::KeyEncryptionKey::Load(file);
    if (!key) return tl::unexpected(key.error());
    secrets_key = std::move(*key);
  }
  Parts parts(context.config, **authority, std::move(secrets_key), context.observatory.registry());
  rpc::ServerOptions options;
  options.address = context.config.Text("listen.address");
  options.certificate = context.config.Text("tls.certificate");
  options.private_key = context.config.Text("tls.private_key");
  options.message_octets_max = limits::kRequestOctetsMax;
  auto server =
      rpc::Server::Start(options, {&parts.enrollment_handler, &parts.identity_handler, &parts.namespace_handler, &parts.operator_handler,
                                   &parts.policy_handler, &parts.zone_handler, &parts.key_handler, &parts.edge_handler});
  if (!server) return tl::unexpected(server.error());
  process::Log(LogLevel::kInfo, "provisioning.listening", {{"address", options.address}, {"port", (*server)->port()}});
  if (auto schema = AwaitSchema(context, parts.reads); !schema) return schema;
  Health health(context, **server);
  do {
    health.Check(parts.reads);
  } while (process::SleepFor(context.stop, kHealthEvery));
  context.observatory.SetNotReady("draining");
  (*server)->SetServing(false);
  parts.identity_handler.Drain();
  parts.enrollment_handler.Drain();
  (*server)->Drain(kDrainMax);
  return {};
}

}  // namespace idzone::provisioning
