// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "services/core/base/octets.h"

/// Migrations: files NNNN_noun.sql, numbered from 0001 without gaps, forward only. What was applied is recorded in
/// public.schema_version with the SHA-256 of each file, so that a file that was altered later is noticed.
namespace idzone::store {

class Database;

/// The schema versions that this build can work with: what the daemons check at their start.
inline constexpr int kSchemaVersionMin = 21;
inline constexpr int kSchemaVersionMax = 21;

struct Migration {
  int version = 0;
  std::string file_name;
  std::string sql;
  Octets digest;  // SHA-256 of the file
};

/// Reads a directory's migrations in order. VALUE_MALFORMED for a file name of another form, a gap or a number twice;
/// NOT_FOUND for a directory that has none. `schema.sql`, the generated summary, is skipped.
Result<std::vector<Migration>> ReadMigrations(const std::filesystem::path& directory);

struct MigrationReport {
  std::vector<std::string> applied;  // now, in order
  std::vector<std::string> present;  // before
};

/// Applies what is missing, each file in its own transaction with its record. Two callers at once wait for each other.
/// SCHEMA_MISMATCH, with nothing applied, when a recorded file was altered or is missing from `migrations`.
/// Requires: a role that may create schemas and roles.
Result<MigrationReport> Migrate(std::string_view url, const std::vector<Migration>& migrations);

/// Says whether the database has a schema that this build accepts; SCHEMA_MISMATCH says what to do.
Result<void> CheckSchema(Database& database);

/// The first caller: everything else can be created through the API by this one.
struct FirstAdmin {
  std::string operator_id;
  Octets fingerprint;  // SHA-256 of the certificate's SPKI
};

/// Creates the operator and an admin principal of it. Returns false when both were there; ALREADY_EXISTS when the key
/// belongs to another operator or role, or is disabled.
Result<bool> CreateFirstAdmin(std::string_view url, const FirstAdmin& admin);

}  // namespace idzone::store
