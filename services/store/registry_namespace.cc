// SPDX-License-Identifier: MIT
#include "services/store/registry_namespace.h"

#include "services/store/database.h"
#include "services/store/registry_event.h"

namespace idzone::store {
namespace {

using Transaction = pqxx::transaction_base;

#define IDZONE_NAMESPACE_COLUMNS                                                                               \
  "n.namespace_id, n.name, n.operator_id, n.layout_kind, n.layout_width, n.policy, n.profile, n.name_servers," \
  " extract(epoch from n.created_at)::bigint, exists (select 1 from published.zone z where z.name = n.name)"

constexpr Statement kFindOperator{"namespace_find_operator", "select 1 from registry.operator where operator_id = $1::text"};
constexpr Statement kInsert{"namespace_insert",
                            "insert into registry.namespace (name, name_text, operator_id, layout_kind, layout_width, policy, profile,"
                            " name_servers) values ($1::bytea, $2::text, $3::text, $4::smallint, $5::smallint, $6::text, $7::smallint,"
                            " $8::text[]) on conflict do nothing"};
constexpr Statement kFind{"namespace_find", "select " IDZONE_NAMESPACE_COLUMNS " from registry.namespace n where n.name = $1::bytea"};
constexpr Statement kList{"namespace_list", "select " IDZONE_NAMESPACE_COLUMNS
                                            " from registry.namespace n where n.name_text > $1::text"
                                            " and ($2::text = '' or n.operator_id = $2::text) order by n.name_text limit $3::bigint"};

#undef IDZONE_NAMESPACE_COLUMNS

Result<NamespaceRecord> Read(const pqxx::row& row) {
  auto name = dns::Name::FromWire(OctetsOf(row[1]), "namespace");
  if (!name) return tl::unexpected(name.error());
  auto layout = zone::MakeLayout(static_cast<zone::LayoutKind>(row[3].as<int>()), row[4].as<std::uint32_t>());
  if (!layout) return tl::unexpected(layout.error());
  return NamespaceRecord{.namespace_id = row[0].as<std::int32_t>(),
                         .name = std::move(*name),
                         .operator_id = row[2].as<std::string>(),
                         .layout = *layout,
                         .policy = row[5].as<std::string>(),
                         .profile = static_cast<records::RecordProfile>(row[6].as<int>()),
                         .name_servers = TextListOf(row[7]),
                         .created_at = TimeOf(row[8]),
                         .zone_exists = row[9].as<bool>()};
}

Result<NamespaceRecord> FindIn(Transaction& transaction, const dns::Name& name) {
  const pqxx::result found = Execute(transaction, kFind, Bytea(name.wire()));
  if (found.empty()) return Fail(Reason::kNotFound, "namespace", "an existing namespace", name.Format());
  return Read(found.front());
}

std::string FormatLayout(const zone::Layout& layout) {
  return layout.kind == zone::LayoutKind::kFlat ? "flat" : "tree of width " + std::to_string(layout.width);
}

std::string Join(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : " ") + text;
  return joined;
}

/// Compares what exists with what is wanted; the first difference is the refusal.
Result<void> CheckSame(const NamespaceRecord& there, const NamespaceRecord& wanted) {
  const auto differ = [&](const char* field, std::string expected, std::string met) -> Result<void> {
    return Fail(Reason::kAlreadyExists, field, there.name.Format() + " as it exists: " + std::move(expected), std::move(met));
  };
  if (there.operator_id != wanted.operator_id) return differ("operator_id", there.operator_id, wanted.operator_id);
  if (there.layout != wanted.layout) return differ("layout", FormatLayout(there.layout), FormatLayout(wanted.layout));
  if (there.policy != wanted.policy) return differ("policy", there.policy, wanted.policy);
  if (there.profile != wanted.profile)
    return differ("profile", std::string(ProfileText(there.profile)), std::string(ProfileText(wanted.profile)));
  if (there.name_servers != wanted.name_servers) return differ("name_servers", Join(there.name_servers), Join(wanted.name_servers));
  return {};
}

}  // namespace

Result<NamespaceRecord> CreateNamespace(Database& database, const Actor& actor, const NamespaceRecord& wanted) {
  return database.Transact("create namespace", [&](Transaction& transaction) -> Result<NamespaceRecord> {
    if (Execute(transaction, kFindOperator, wanted.operator_id).empty())
      return Fail(Reason::kNotFound, "operator_id", "an existing operator", wanted.operator_id);
    const std::string text = wanted.name.Format();
    const auto inserted =
        Execute(transaction, kInsert, Bytea(wanted.name.wire()), text, wanted.operator_id, static_cast<int>(wanted.layout.kind),
                static_cast<int>(wanted.layout.width), wanted.policy, static_cast<int>(wanted.profile),
                TextArray(std::vector<std::string_view>(wanted.name_servers.begin(), wanted.name_servers.end())));
    auto there = FindIn(transaction, wanted.name);
    if (!there) return there;
    if (auto same = CheckSame(*there, wanted); !same) return tl::unexpected(same.error());
    if (inserted.affected_rows() == 1)
      WriteEvent(transaction, actor,
                 {.kind = "namespace.created", .namespace_id = there->namespace_id, .detail = JsonObject({{"namespace", text}})});
    return there;
  });
}

Result<NamespaceRecord> FindNamespace(Database& database, const dns::Name& name) {
  return database.Transact("find namespace", [&](Transaction& transaction) { return FindIn(transaction, name); });
}

Result<std::vector<NamespaceRecord>> ListNamespaces(Database& database, const std::string& operator_id, const PageOf& page) {
  return database.Transact("list namespaces", [&](Transaction& transaction) -> Result<std::vector<NamespaceRecord>> {
    std::vector<NamespaceRecord> records;
    for (const pqxx::row& row : Execute(transaction, kList, page.after, operator_id, page.limit)) {
      auto record = Read(row);
      if (!record) return tl::unexpected(record.error());
      records.push_back(std::move(*record));
    }
    return records;
  });
}

}  // namespace idzone::store
