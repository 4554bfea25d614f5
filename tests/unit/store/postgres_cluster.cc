// SPDX-License-Identifier: MIT
#include "tests/unit/store/postgres_cluster.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <pqxx/pqxx>

#include "services/store/database.h"
#include "services/store/migration.h"

namespace idzone::store {
namespace {

std::string BinaryDirectory() {
  for (int version = 17; version >= 13; --version) {
    const std::string directory = "/usr/lib/postgresql/" + std::to_string(version) + "/bin";
    if (std::filesystem::exists(directory + "/initdb")) return directory;
  }
  InvariantBroken("PostgreSQL's server programs are installed", __FILE__, __LINE__);
}

}  // namespace

PostgresCluster& PostgresCluster::Get() {
  static PostgresCluster cluster;
  return cluster;
}

PostgresCluster::PostgresCluster() {
  std::string pattern = (std::filesystem::temp_directory_path() / "idzone-store-XXXXXX").string();
  IDZONE_INVARIANT(mkdtemp(pattern.data()) != nullptr, "a temporary directory can be made");
  directory_ = pattern;
  if (getuid() == 0) {
    run_as_ = "runuser -u postgres -- ";
    IDZONE_INVARIANT(std::system(("chown postgres " + directory_).c_str()) == 0, "the directory can be given away");
  }
  IDZONE_INVARIANT(Run("initdb -D " + directory_ + "/data -A trust -U postgres -E UTF8 --no-locale -N") == 0, "a cluster can be made");
  Start();
}

PostgresCluster::~PostgresCluster() {
  Stop("immediate");
  std::filesystem::remove_all(directory_);
}

int PostgresCluster::Run(const std::string& command) const {
  return std::system(("cd / && " + run_as_ + BinaryDirectory() + "/" + command + " >> " + directory_ + "/commands.log 2>&1").c_str());
}

void PostgresCluster::Start() {
  const std::string options = "\"-c listen_addresses='' -c unix_socket_directories=" + directory_ + " -c fsync=off\"";
  IDZONE_INVARIANT(Run("pg_ctl -D " + directory_ + "/data -l " + directory_ + "/log -w -o " + options + " start") == 0, "it starts");
}

void PostgresCluster::Stop(const char* mode) {
  Run("pg_ctl -D " + directory_ + "/data -w -m " + mode + " stop");
}

std::string PostgresCluster::NewEmptyDatabase() {
  const std::string name = "test" + std::to_string(++databases_);
  Execute("postgresql://postgres@/postgres?host=" + directory_, "create database " + name);
  return "postgresql://postgres@/" + name + "?host=" + directory_;
}

std::string PostgresCluster::NewDatabase() {
  const std::string url = NewEmptyDatabase();
  const auto migrations = ReadMigrations(IDZONE_SOURCE_DIR "/migrations");
  IDZONE_INVARIANT(migrations.has_value(), "the migrations can be read");
  const auto report = Migrate(url, *migrations);
  IDZONE_INVARIANT(report.has_value(), "a new database can be migrated");
  Execute(url, "insert into registry.operator (operator_id, display_name) values ('acme', 'Acme'), ('beta', 'Beta')");
  return url;
}

std::string PostgresCluster::As(const std::string& url, const std::string& role) {
  std::string other = url;
  return other.replace(other.find("postgres@"), std::string("postgres@").size(), role + "@");
}

void PostgresCluster::Execute(const std::string& url, const std::string& sql) {
  pqxx::connection connection(url);
  pqxx::nontransaction(connection).exec(sql);
}

std::string PostgresCluster::Query(const std::string& url, const std::string& sql) {
  pqxx::connection connection(url);
  return pqxx::nontransaction(connection).exec(sql).at(0)[0].c_str();
}

NamespaceRecord ValidNamespace(const std::string& domain) {
  NamespaceRecord record;
  record.name = *dns::Name::Parse("_device." + domain);
  record.operator_id = "acme";
  record.policy = "standard";
  record.name_servers = {"ns1.example.net."};
  return record;
}

}  // namespace idzone::store
