// SPDX-License-Identifier: MIT
#pragma once

#include "services/store/registry_record.h"

/// A namespace's certification authority: at most one at a time, and one that was removed never comes back.
namespace idzone::store {

class Database;

struct Authority {
  dns::Name name;  // of the namespace
  Octets fingerprint;
  Octets rdata;
};

/// Makes it the namespace's only authority, in place of the one before; returns the namespace. Idempotent.
/// NOT_FOUND; KEY_REVOKED when it was removed before; ALREADY_EXISTS when the same key is published in another form.
Result<NamespaceRecord> SetAuthority(Database& database, const Actor& actor, const Authority& authority);

struct AuthorityRemoval {
  NamespaceRecord home;
  std::uint64_t change = 0;  // 0: there was none
};
Result<AuthorityRemoval> RemoveAuthority(Database& database, const Actor& actor, const dns::Name& name);

}  // namespace idzone::store
