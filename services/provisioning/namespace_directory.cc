// SPDX-License-Identifier: MIT
#include "services/provisioning/namespace_directory.h"

#include "services/store/database.h"
#include "services/store/registry_namespace.h"

namespace idzone::provisioning {
namespace {

constexpr std::size_t kHomesMax = 10'000;

}  // namespace

Result<void> CheckTenant(const rpc::Caller& caller, const std::string& operator_id, const std::string& object) {
  if (caller.role == rpc::Role::kAdmin || caller.operator_id == operator_id) return {};
  return Fail(Reason::kNamespaceForeign, object, "one of operator " + caller.operator_id, "one of another operator");
}

Result<NamespaceDirectory::Home> NamespaceDirectory::Find(const rpc::Caller& caller, const std::string& name, const char* subject) {
  auto home = Load(name, subject);
  if (!home) return home;
  if (auto tenant = CheckTenant(caller, (*home)->operator_id, subject); !tenant) return tl::unexpected(tenant.error());
  return home;
}

Result<NamespaceDirectory::Home> NamespaceDirectory::Load(const std::string& name, const char* subject) {
  {
    const std::scoped_lock lock(mutex_);
    if (const auto found = homes_.find(name); found != homes_.end()) return found->second;
  }
  if (name.empty()) return Fail(Reason::kValueMissing, subject, "a namespace's name", "nothing");
  const auto parsed = dns::Name::Parse(name, subject);
  if (!parsed) return tl::unexpected(parsed.error());
  auto record = store::FindNamespace(database_, *parsed);
  if (!record) return tl::unexpected(record.error());
  const auto home = std::make_shared<const store::NamespaceRecord>(std::move(*record));
  const std::scoped_lock lock(mutex_);
  if (homes_.size() >= kHomesMax) homes_.clear();
  homes_[name] = home;
  return home;
}

}  // namespace idzone::provisioning
