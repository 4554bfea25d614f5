// SPDX-License-Identifier: MIT
#include "services/store/migration.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <pqxx/pqxx>

#include "services/store/database.h"
#include "services/store/encoding.h"

namespace idzone::store {
namespace {

using Transaction = pqxx::transaction_base;

constexpr int kFilesMax = 9999;

/// One lock for all migrations of a database: the octets "idzone" as a number.
constexpr char kLock[] = "select pg_advisory_xact_lock(115880271769189)";

constexpr char kCreateTable[] =
    "create table if not exists public.schema_version ("
    " version integer primary key check (version between 1 and 9999),"
    " file_name text not null,"
    " digest bytea not null check (octet_length(digest) = 32),"
    " applied_at timestamptz not null default now())";

constexpr Statement kRecord{"migration_record",
                            "insert into public.schema_version (version, file_name, digest) values ($1::integer, $2::text, $3::bytea)"};
constexpr Statement kInsertOperator{"migration_insert_operator",
                                    "insert into registry.operator (operator_id, display_name) values ($1::text, $1::text)"
                                    " on conflict do nothing returning operator_id"};
constexpr Statement kInsertAdmin{"migration_insert_admin",
                                 "insert into registry.principal (fingerprint, operator_id, display_name, role)"
                                 " values ($1::bytea, $2::text, 'first admin', 1) on conflict do nothing returning operator_id"};
constexpr Statement kSelectPrincipal{
    "migration_select_principal",
    "select operator_id, role, disabled_at is not null from registry.principal where fingerprint = $1::bytea"};

/// A migration may rewrite a table; nobody should wait for its locks for long.
DatabaseOptions MigratorOptions(std::string_view url) {
  DatabaseOptions options;
  options.url = std::string(url);
  options.application_name = "idzone-migrate";
  options.connections_max = 1;
  options.statement_timeout = std::chrono::minutes(60);
  options.lock_timeout = std::chrono::minutes(1);
  return options;
}

/// Returns the number in front of `NNNN_noun.sql`, or 0 for another form.
int VersionOf(const std::string& file_name) {
  const bool shaped = file_name.size() > 9 && file_name[4] == '_' && file_name.ends_with(".sql") &&
                      std::all_of(file_name.begin(), file_name.begin() + 4, [](char c) { return c >= '0' && c <= '9'; }) &&
                      std::all_of(file_name.begin() + 5, file_name.end() - 4,
                                  [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
  return shaped ? std::stoi(file_name.substr(0, 4)) : 0;
}

Result<Migration> ReadMigration(const std::filesystem::path& path) {
  Migration migration;
  migration.file_name = path.filename().string();
  migration.version = VersionOf(migration.file_name);
  if (migration.version == 0) return Fail(Reason::kValueMalformed, path.string(), "a file name like 0001_noun.sql", migration.file_name);
  std::ifstream file(path, std::ios::binary);
  migration.sql.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  if (!file || migration.sql.empty()) return Fail(Reason::kNotFound, path.string(), "a readable migration", "none");
  migration.digest = Sha256(migration.sql);
  return migration;
}

/// Compares what is recorded with the files. Returns the recorded versions.
Result<std::vector<int>> CheckRecorded(Transaction& transaction, const std::vector<Migration>& migrations) {
  std::vector<int> recorded;
  for (const pqxx::row& row : transaction.exec("select version, file_name, digest from public.schema_version order by version")) {
    const int version = NumberOf<int>(row[0]);
    const auto found =
        std::find_if(migrations.begin(), migrations.end(), [&](const Migration& migration) { return migration.version == version; });
    if (found == migrations.end())
      return Fail(Reason::kSchemaMismatch, "migrations",
                  "the file " + row[1].as<std::string>() + ", which the database has: use a newer release", "none");
    if (found->digest != OctetsOf(row[2]))
      return Fail(Reason::kSchemaMismatch, "migration " + found->file_name, "the file as it was applied", "an altered one");
    recorded.push_back(version);
  }
  return recorded;
}

/// Applies one file unless it is recorded. Returns whether it did.
Result<bool> Apply(Database& database, const Migration& migration, const std::vector<Migration>& migrations) {
  return database.Transact("migrate", [&](Transaction& transaction) -> Result<bool> {
    transaction.exec(kLock);
    const auto recorded = CheckRecorded(transaction, migrations);
    if (!recorded) return tl::unexpected(recorded.error());
    if (std::find(recorded->begin(), recorded->end(), migration.version) != recorded->end()) return false;
    transaction.exec(migration.sql);
    Execute(transaction, kRecord, migration.version, migration.file_name, Bytea(migration.digest));
    return true;
  });
}

}  // namespace

Result<std::vector<Migration>> ReadMigrations(const std::filesystem::path& directory) {
  std::error_code code;
  std::vector<std::filesystem::path> paths;
  for (std::filesystem::directory_iterator entry(directory, code), end; !code && entry != end; entry.increment(code)) {
    const std::filesystem::path& path = entry->path();
    if (path.extension() == ".sql" && path.filename() != "schema.sql") paths.push_back(path);
  }
  if (paths.empty() || paths.size() > kFilesMax)
    return Fail(Reason::kNotFound, "migrations", "a directory with files like 0001_noun.sql",
                directory.string() + (code ? ": " + code.message() : ""));
  std::sort(paths.begin(), paths.end());
  std::vector<Migration> migrations;
  for (const auto& path : paths) {
    auto migration = ReadMigration(path);
    if (!migration) return tl::unexpected(migration.error());
    const int expected = static_cast<int>(migrations.size()) + 1;
    if (migration->version != expected)
      return Fail(Reason::kValueMalformed, "migrations", "number " + std::to_string(expected) + " next", migration->file_name);
    migrations.push_back(std::move(*migration));
  }
  return migrations;
}

Result<MigrationReport> Migrate(std::string_view url, const std::vector<Migration>& migrations) {
  Database database(MigratorOptions(url));
  const auto prepared = database.Transact("migrate", [&](Transaction& transaction) -> Result<void> {
    transaction.exec(kLock);
    transaction.exec("set local client_min_messages = warning");
    transaction.exec(kCreateTable);
    transaction.exec("grant select on public.schema_version to public");
    const auto recorded = CheckRecorded(transaction, migrations);
    return recorded ? Result<void>() : tl::unexpected(recorded.error());
  });
  if (!prepared) return tl::unexpected(prepared.error());
  MigrationReport report;
  for (const Migration& migration : migrations) {
    const auto applied = Apply(database, migration, migrations);
    if (!applied) return tl::unexpected(applied.error());
    (*applied ? report.applied : report.present).push_back(migration.file_name);
  }
  return report;
}

Result<void> CheckSchema(Database& database) {
  return database.Transact("check schema", [](Transaction& transaction) -> Result<void> {
    const int version = transaction.exec1("select coalesce(max(version), 0) from public.schema_version")[0].as<int>();
    const std::string met = "version " + std::to_string(version);
    if (version < kSchemaVersionMin)
      return Fail(Reason::kSchemaMismatch, "database",
                  "schema version " + std::to_string(kSchemaVersionMin) + " or later: run `idzone migrate`", met);
    if (version > kSchemaVersionMax)
      return Fail(Reason::kSchemaMismatch, "database",
                  "schema version " + std::to_string(kSchemaVersionMax) + " at most: install a newer release of this program", met);
    return {};
  });
}

Result<bool> CreateFirstAdmin(std::string_view url, const FirstAdmin& admin) {
  Database database(MigratorOptions(url));
  return database.Transact("create first admin", [&](Transaction& transaction) -> Result<bool> {
    const bool operator_created = !Execute(transaction, kInsertOperator, admin.operator_id).empty();
    const bool principal_created = !Execute(transaction, kInsertAdmin, Bytea(admin.fingerprint), admin.operator_id).empty();
    if (principal_created) return true;
    const pqxx::row row = Execute(transaction, kSelectPrincipal, Bytea(admin.fingerprint)).at(0);
    if (row[0].as<std::string>() != admin.operator_id || row[1].as<int>() != 1 || row[2].as<bool>())
      return Fail(Reason::kAlreadyExists, "admin certificate", "a key that is not registered, or as admin of " + admin.operator_id,
                  "a key of operator " + row[0].as<std::string>());
    return operator_created;
  });
}

}  // namespace idzone::store
