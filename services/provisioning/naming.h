// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "services/core/identity/subject.h"
#include "services/sealing/sealing.h"
#include "services/store/registry_record.h"

namespace idzone::provisioning {

/// A name that an identity has or would have.
struct Place {
  identity::Subject subject;
  std::optional<std::string> label;  // the private label
  dns::Name owner;
  Octets identity_id;
};

/// From an id in a namespace to the names that it stands for. Holds the key that opens the namespaces' secrets, which make private
/// labels: a secret lies sealed in the registry, and open in this process alone.
/// Threads: any.
class Naming {
 public:
  /// `key`: unset where no private labels are made.
  explicit Naming(std::optional<sealing::KeyEncryptionKey> key) : key_(std::move(key)) {}

  /// Reads an id by the namespace's rules. ID_MALFORMED.
  static Result<identity::Subject> ReadSubject(const store::NamespaceRecord& home, const std::string& id);
  static Octets IdentityIdOf(const store::NamespaceRecord& home, const identity::Subject& subject);
  /// Returns the owner name of an identity that is enrolled.
  static Result<dns::Name> OwnerOf(const store::NamespaceRecord& home, const store::IdentityRecord& record);

  /// Returns the place of an id. `wanted`: what the caller says of its label, unset: what the namespace does by itself.
  /// ID_MALFORMED, ID_NOT_CARRIED_BY_LAYOUT; LABEL_CONFLICT when the namespace does not do what is wanted;
  /// NAMESPACE_KIND_MISMATCH in a namespace that holds an authority alone; UNAVAILABLE when its secret cannot be opened.
  Result<Place> Find(const store::NamespaceRecord& home, const std::string& id, std::optional<zone::LabelPrivacy> wanted);

  /// Makes a new namespace's secret; returns it sealed. NAMESPACE_NOT_READY when this server has no key to seal it with.
  Result<Octets> MakeSealedSecret(const dns::Name& name) const;

 private:
  Result<std::shared_ptr<const sealing::Secret>> SecretOf(const store::NamespaceRecord& home);

  const std::optional<sealing::KeyEncryptionKey> key_;
  std::mutex mutex_;
  std::map<std::int32_t, std::shared_ptr<const sealing::Secret>> secrets_;  // by namespace id
};

}  // namespace idzone::provisioning
