// SPDX-License-Identifier: MIT
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.h"
#include "cli/input.h"
#include "cli/output/json.h"
#include "cli/session.h"
#include "services/core/identity/key_material.h"
#include "services/store/migration.h"

namespace idzone::cli {
namespace {

struct Options {
  std::string database;
  std::string directory;
  std::string admin_certificate;
  std::string operator_id;
};

Result<std::filesystem::path> MigrationsDirectory(const Options& options) {
  if (!options.directory.empty()) return std::filesystem::path(options.directory);
  // Installed first: a source tree may have gone on since.
  std::error_code ignored;
  for (const char* directory : {IDZONE_MIGRATIONS_INSTALLED, IDZONE_MIGRATIONS_SOURCE}) {
    if (std::filesystem::is_directory(directory, ignored)) return std::filesystem::path(directory);
  }
  return Fail(Reason::kNotFound, "--directory", "the folder with the NNNN_noun.sql files, by option or IDZONE_MIGRATIONS", "none");
}

Result<Octets> AdminFingerprint(const Options& options) {
  const Result<Octets> octets = ReadMaterialFile(options.admin_certificate);
  if (!octets) return octets;
  const auto key = identity::KeyMaterial::Parse(identity::MaterialKind::kCertificate, *octets);
  if (!key) return tl::unexpected(key.error());
  return key->fingerprint();
}

/// What the database refuses: unlike a server's refusals it has no gRPC code.
Failure DatabaseFailure(Error error) {
  const ExitCode exit_code = error.reason == Reason::kUnavailable     ? ExitCode::kUnreachable
                             : error.reason == Reason::kAlreadyExists ? ExitCode::kRefused
                                                                      : ExitCode::kOther;
  return {"migrate the database", std::move(error), exit_code};
}

Outcome Migrate(const Session& session, const Options& options) {
  const auto misused = [](const Error& error) { return tl::unexpected(Misused("migrate the database", error)); };
  const auto directory = MigrationsDirectory(options);
  if (!directory) return misused(directory.error());
  const auto migrations = store::ReadMigrations(*directory);
  if (!migrations) return misused(migrations.error());
  Octets fingerprint;
  if (!options.admin_certificate.empty()) {
    const auto read = AdminFingerprint(options);
    if (!read) return misused(read.error());
    fingerprint = *read;
  }

  const auto report = store::Migrate(options.database, *migrations);
  if (!report) return tl::unexpected(DatabaseFailure(report.error()));
  Json object = {{"directory", directory->string()}, {"applied", Json(report->applied)}, {"present", Json(report->present)}};
  if (!fingerprint.empty()) {
    const auto created = store::CreateFirstAdmin(options.database, {.operator_id = options.operator_id, .fingerprint = fingerprint});
    if (!created) return tl::unexpected(DatabaseFailure(created.error()));
    object["admin"] = {{"operator", options.operator_id}, {"fingerprint", HexEncode(fingerprint)}, {"created", *created}};
  }
  WriteObject(session.out, session.format, object);
  return ExitCode::kOk;
}

}  // namespace

void AddMigrateCommand(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* migrate = app.add_subcommand("migrate", "Bring a PostgreSQL database to this version's schema");
  migrate->add_option("--database", options->database, "libpq URL of a role that may create schemas and roles")
      ->required()
      ->envname("IDZONE_DATABASE_URL");
  migrate->add_option("--directory", options->directory, "Folder of the migrations (default: the installed ones)")
      ->envname("IDZONE_MIGRATIONS");
  CLI::Option* certificate = migrate->add_option("--admin-certificate", options->admin_certificate,
                                                 "Also let this certificate's key call as an admin: the first caller");
  CLI::Option* operator_id =
      migrate->add_option("--operator", options->operator_id, "The operator that the first admin acts for; created if missing");
  certificate->needs(operator_id);
  operator_id->needs(certificate);
  migrate->callback([&session, options] { session.command = [&session, options] { return Migrate(session, *options); }; });
}

}  // namespace idzone::cli
