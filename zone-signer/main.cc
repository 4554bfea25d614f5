// SPDX-License-Identifier: MIT
// idzone-signerd: turns what the registry wants into signed zone versions.
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <optional>

#include "services/process/daemon.h"
#include "services/process/log.h"
#include "services/sealing/secret.h"
#include "services/store/published_clock.h"
#include "zone-signer/pipeline/reconciler.h"

namespace {

using namespace idzone;
using namespace idzone::signer;

std::vector<process::ConfigKey> DeclaredKeys() {
  return {
      process::RequiredText("database.url", "libpq URL of the database, as role idzone_signerd"),
      process::OptionalText("keys.provider", "sealed", "where new keys are made: sealed (files) or pkcs11 (a token)"),
      process::OptionalText(
          "keys.directory", "",
          "directory of the sealed key files, mode 0700; made when it is not there; needed by the provider sealed, and for "
          "as long as keys in it are used"),
      process::OptionalText("keys.kek_file", "", "file with the key that seals the others: 32 octets or 64 hex digits, mode 0600 or 0400"),
      process::OptionalText(
          "pkcs11.module", "",
          "PKCS #11 module, a shared library; needed by the provider pkcs11, and for as long as keys in its token are used"),
      process::OptionalText("pkcs11.token", "", "label of the token"),
      process::OptionalText("pkcs11.pin_file", "", "file with the token's user PIN, one line, mode 0600 or 0400"),
      process::OptionalInteger(
          "rollover.propagation_seconds", -1, -1, 30 * 86'400,
          "how long secondaries take to have what every edge has (RFC 7583 Dprp); -1: as the SOA says, refresh + retry"),
      process::OptionalText("parent.resolver", "",
                            "ADDRESS or ADDRESS@PORT of a server to ask for the parents' DS records; empty: operators tell"),
      process::OptionalBoolean("parent.resolver_is_authoritative", false,
                               "it is a server of the zones in parent.anchors_file, not a resolver"),
      process::OptionalText("parent.anchors_file", "/usr/share/dns/root.key", "trust anchors by which its answers are validated"),
      process::OptionalInteger("parent.poll_seconds", 60, 1, 86'400, "how often a parent that a roll waits for is asked"),
      process::OptionalInteger("parent.ds_ttl_seconds", 86'400, 0, 30 * 86'400,
                               "the least TTL that the parents' DS records are taken to have; 0 only with an authoritative server. Longer "
                               "ones are seen while a roll is under way"),
      process::OptionalInteger("parent.propagation_seconds", 3600, 0, 30 * 86'400,
                               "how long all servers of a parent take to have what one of them has (RFC 7583 DprpP)"),
      process::OptionalInteger("signing.threads", 2, 1, 64, "threads that sign"),
      process::OptionalInteger("signing.batch_max", 4000, 1, 10'000, "identities published, or names renewed, in one transaction, at most"),
      process::OptionalInteger("signing.transaction_ms", 400, 1, 10'000,
                               "how long one transaction should take: fewer names go into it when they take longer"),
      process::OptionalInteger("signing.poll_ms", 200, 10, 60'000, "how often an empty queue is looked at"),
      process::OptionalInteger("signing.verify_every", 256, 1, 1'000'000,
                               "which share of the signatures is verified before they are published: every n-th, and the first"),
      process::OptionalInteger("signing.journal_keep_mib", 4096, 16, 16 * 1024 * 1024, "room for the versions that are kept for followers"),
      process::OptionalInteger("signing.takeover_seconds", 60, 2, 3600,
                               "a signer that is that long in one transaction has stopped: PostgreSQL, or another signer, ends it"),
      process::OptionalInteger("signing.clock_skew_seconds_max", 60, 0, 86'400,
                               "how far the clock may be from PostgreSQL's before signing stops; 0: they are not compared"),
      process::OptionalInteger("signing.journal_keep_hours", 72, 1, 24 * 365, "hours that versions are kept for followers, at most"),
  };
}

/// Makes the key directory on the first start; it is checked afterwards like any other.
Result<keys::KeyDirectory> OpenDirectory(const process::Config& config) {
  const std::string& path = config.Text("keys.directory");
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return Fail(Reason::kKeyFileInvalid, path, "a directory that can be made", std::strerror(errno));
  return keys::KeyDirectory::Open(path, config.Text("keys.kek_file"));
}

Result<keys::TokenKeys> OpenToken(const process::Config& config) {
  return keys::TokenKeys::Open(
      {.module = config.Text("pkcs11.module"), .label = config.Text("pkcs11.token"), .pin_file = config.Text("pkcs11.pin_file")});
}

/// Says whether all of some keys are set; VALUE_MISSING when only some are, or `needed` ones are not.
Result<bool> AreSet(const process::Config& config, std::initializer_list<std::string_view> names, bool needed) {
  std::size_t set = 0;
  std::string_view missing;
  for (const std::string_view name : names) {
    const bool is_set = !config.Text(name).empty();
    set += is_set ? 1 : 0;
    if (!is_set) missing = name;
  }
  if (set == names.size() || (set == 0 && !needed)) return set > 0;
  return Fail(Reason::kValueMissing, std::string(missing),
              needed ? "a value, which keys.provider needs" : "a value, as its section has others", "none");
}

Result<keys::KeyStore> OpenKeys(const process::Config& config) {
  const std::string& provider = config.Text("keys.provider");
  const bool in_token = provider == "pkcs11";
  if (!in_token && provider != "sealed") return Fail(Reason::kEnumUnknown, "keys.provider", "sealed or pkcs11", provider);
  const auto has_directory = AreSet(config, {"keys.directory", "keys.kek_file"}, !in_token);
  if (!has_directory) return tl::unexpected(has_directory.error());
  const auto has_token = AreSet(config, {"pkcs11.module", "pkcs11.token", "pkcs11.pin_file"}, in_token);
  if (!has_token) return tl::unexpected(has_token.error());
  std::optional<keys::KeyDirectory> directory;
  if (*has_directory) {
    auto opened = OpenDirectory(config);
    if (!opened) return tl::unexpected(opened.error());
    directory = *std::move(opened);
  }
  if (!*has_token) return keys::KeyStore(*std::move(directory));
  auto token = OpenToken(config);
  if (!token) return tl::unexpected(token.error());
  return in_token ? keys::KeyStore(*std::move(token), std::move(directory)) : keys::KeyStore(*std::move(directory), *std::move(token));
}

/// Null when no server is named to ask.
Result<std::unique_ptr<parent::ParentWatch>> WatchParents(const process::Config& config, const Clock& clock) {
  if (config.Text("parent.resolver").empty()) return std::unique_ptr<parent::ParentWatch>();
  return parent::ParentWatch::Start({.resolver = config.Text("parent.resolver"),
                                     .resolver_is_authoritative = config.Boolean("parent.resolver_is_authoritative"),
                                     .anchors_file = config.Text("parent.anchors_file"),
                                     .ttl_min = std::chrono::seconds(config.Integer("parent.ds_ttl_seconds")),
                                     .poll = std::chrono::seconds(config.Integer("parent.poll_seconds"))},
                                    clock);
}

Result<void> Run(process::DaemonContext& context) {
  const process::Config& config = context.config;
  if (auto forbidden = sealing::ForbidCoreDumps(); !forbidden) return forbidden;
  auto key_store = OpenKeys(config);
  if (!key_store) return tl::unexpected(key_store.error());

  const std::chrono::seconds takeover(config.Integer("signing.takeover_seconds"));
  auto settings = store::SignerSessionSettings();
  for (auto& setting : store::TakeoverSettings(takeover)) settings.push_back(std::move(setting));
  store::Database database({.url = config.Text("database.url"),
                            .application_name = "idzone-signerd",
                            .connections_max = 1,
                            .statement_timeout = std::chrono::seconds(30),
                            .settings = std::move(settings),
                            .on_failure = [](std::string_view sqlstate, std::string_view message) {
                              process::Log(process::LogLevel::kWarning, "database.failed", {{"sqlstate", sqlstate}, {"message", message}});
                            }});
  store::HintListener listener(config.Text("database.url"), store::kDirtyHint);
  const signing::BatchSigner signer(static_cast<int>(config.Integer("signing.threads")),
                                    static_cast<int>(config.Integer("signing.verify_every")));
  const process::SystemClock clock;
  auto parent_watch = WatchParents(config, clock);
  if (!parent_watch) return tl::unexpected(parent_watch.error());
  pipeline::Reconciler reconciler({database, listener, *key_store, signer, clock, context.observatory, parent_watch->get()},
                                  {.batch_max = config.Integer("signing.batch_max"),
                                   .transaction_target = std::chrono::milliseconds(config.Integer("signing.transaction_ms")),
                                   .poll = std::chrono::milliseconds(config.Integer("signing.poll_ms")),
                                   .journal_keep = std::chrono::hours(config.Integer("signing.journal_keep_hours")),
                                   .journal_octets_max = config.Integer("signing.journal_keep_mib") * 1024 * 1024,
                                   .rolls = {.propagation = std::chrono::seconds(config.Integer("rollover.propagation_seconds")),
                                             .parent_propagation = std::chrono::seconds(config.Integer("parent.propagation_seconds")),
                                             .unseen_ds_ttl = std::chrono::seconds(config.Integer("parent.ds_ttl_seconds"))},
                                   .clock_skew_max = std::chrono::seconds(config.Integer("signing.clock_skew_seconds_max")),
                                   .takeover = takeover});
  reconciler.Run(context.stop);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  // For the listener's connection; before any thread exists, because setenv is not safe beside others.
  setenv("PGCONNECT_TIMEOUT", "3", 0);
  return idzone::process::RunDaemon(argc, argv, {.program = "idzone-signerd", .keys = DeclaredKeys(), .run = Run});
}
