// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "services/store/registry_record.h"

/// A private PostgreSQL cluster for a test program: started at its first use, removed at its end. It listens on a socket
/// in its own directory only, and runs as an unprivileged user, because PostgreSQL refuses to be root.
namespace idzone::store {

class PostgresCluster {
 public:
  /// The program's cluster.
  static PostgresCluster& Get();

  /// Creates a migrated database and returns its URL, for a role: the owner when empty.
  std::string NewDatabase();
  /// Creates an empty database.
  std::string NewEmptyDatabase();
  /// Returns the URL of the same database for another role.
  static std::string As(const std::string& url, const std::string& role);
  /// Runs SQL as the owner.
  static void Execute(const std::string& url, const std::string& sql);
  /// Returns the first column of the first row.
  static std::string Query(const std::string& url, const std::string& sql);

  void Stop(const char* mode);
  void Start();

 private:
  PostgresCluster();
  ~PostgresCluster();
  int Run(const std::string& command) const;

  std::string directory_;
  std::string run_as_;  // a prefix that changes the user, when we are root
  int databases_ = 0;
};

/// Gives valid ones.
NamespaceRecord ValidNamespace(const std::string& domain = "acme.example.");
inline Actor TestActor() {
  return {Octets(32, 'a'), "acme"};
}

}  // namespace idzone::store
