// SPDX-License-Identifier: MIT
#include "services/store/registry_namespace.h"

#include "services/core/zone/cut.h"
#include "services/store/database.h"
#include "services/store/registry_event.h"

namespace idzone::store {
namespace {

using Transaction = pqxx::transaction_base;

#define IDZONE_NAMESPACE_COLUMNS                                                                               \
  "n.namespace_id, n.name, n.operator_id, n.layout_kind, n.layout_width, n.policy, n.profile, n.name_servers," \
  " extract(epoch from n.created_at)::bigint, z.zone_id is not null,"                                          \
  " n.layout_form, n.labels, n.sealed_secret, n.denial, n.algorithm, n.wildcard_ca, n.mail_records,"           \
  " a.fingerprint, a.rdata, extract(epoch from a.set_at)::bigint, a.batch_id, n.has_cuts,"                     \
  " (select max(c.number) from registry.cut c where c.namespace_id = n.namespace_id), z.cuts_made"
#define IDZONE_NAMESPACE_JOINS                     \
  " left join published.zone z on z.name = n.name" \
  " left join registry.authority a on a.namespace_id = n.namespace_id and a.removed_at is null"

constexpr Statement kFindOperator{"namespace_find_operator", "select 1 from registry.operator where operator_id = $1::text"};
constexpr Statement kFindPolicy{"namespace_find_policy", "select 1 from registry.policy where name = $1::text"};
constexpr Statement kInsert{"namespace_insert",
                            "insert into registry.namespace (name, name_text, operator_id, layout_kind, layout_width, policy, profile,"
                            " name_servers, layout_form, labels, sealed_secret, denial, algorithm, wildcard_ca, mail_records, has_cuts)"
                            " values ($1::bytea, $2::text, $3::text, $4::smallint, $5::smallint, $6::text, $7::smallint,"
                            " $8::text[], $9::smallint, $10::smallint, nullif($11::bytea, ''), $12::smallint, $13::smallint,"
                            " $14::boolean, $15::boolean, $16::boolean) on conflict do nothing"};
constexpr Statement kFind{
    "namespace_find", "select " IDZONE_NAMESPACE_COLUMNS " from registry.namespace n" IDZONE_NAMESPACE_JOINS " where n.name = $1::bytea"};
constexpr Statement kList{"namespace_list", "select " IDZONE_NAMESPACE_COLUMNS " from registry.namespace n" IDZONE_NAMESPACE_JOINS
                                            " where n.name_text > $1::text"
                                            " and ($2::text = '' or n.operator_id = $2::text) order by n.name_text limit $3::bigint"};

#undef IDZONE_NAMESPACE_JOINS
#undef IDZONE_NAMESPACE_COLUMNS

Result<NamespaceRecord> Read(const pqxx::row& row) {
  auto name = dns::Name::FromWire(OctetsOf(row[1]), "namespace");
  if (!name) return tl::unexpected(name.error());
  auto layout = zone::MakeLayout(static_cast<zone::LayoutKind>(row[3].as<int>()), row[4].as<std::uint32_t>(),
                                 static_cast<zone::EnumForm>(row[10].as<int>()));
  if (!layout) return tl::unexpected(layout.error());
  std::optional<AuthorityRecord> authority;
  if (!row[17].is_null()) authority = AuthorityRecord{OctetsOf(row[17]), OctetsOf(row[18]), TimeOf(row[19]), row[20].as<std::uint64_t>()};
  const bool has_cuts = row[21].as<bool>();
  const std::uint32_t last_cut = row[22].is_null() ? 0 : row[22].as<std::uint32_t>();
  return NamespaceRecord{.namespace_id = row[0].as<std::int32_t>(),
                         .name = std::move(*name),
                         .operator_id = row[2].as<std::string>(),
                         .layout = *layout,
                         .policy = row[5].as<std::string>(),
                         .profile = static_cast<records::RecordProfile>(row[6].as<int>()),
                         .name_servers = TextListOf(row[7]),
                         .created_at = TimeOf(row[8]),
                         .zone_exists = row[9].as<bool>(),
                         .labels = static_cast<zone::LabelPrivacy>(row[11].as<int>()),
                         .sealed_secret = row[12].is_null() ? Octets() : OctetsOf(row[12]),
                         .denial = static_cast<dns::DenialKind>(row[13].as<int>()),
                         .algorithm = static_cast<std::uint8_t>(row[14].as<int>()),
                         .wildcard_ca = row[15].as<bool>(),
                         .mail_records = row[16].as<bool>(),
                         .has_cuts = has_cuts,
                         .cuts_wanted = has_cuts ? zone::TreeCutCount(*layout) : last_cut,
                         .cuts_made = row[23].is_null() ? 0 : row[23].as<std::uint32_t>(),
                         .authority = std::move(authority)};
}

std::string FormatLayout(const zone::Layout& layout) {
  switch (layout.kind) {
    case zone::LayoutKind::kFlat: return "flat";
    case zone::LayoutKind::kTree: return "tree of width " + std::to_string(layout.width);
    case zone::LayoutKind::kEnum: return "enum of form " + std::to_string(static_cast<int>(layout.form));
  }
  return "another one";
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
  const auto number = [](auto value) { return std::to_string(static_cast<int>(value)); };
  if (there.labels != wanted.labels) return differ("labels", number(there.labels), number(wanted.labels));
  if (there.denial != wanted.denial) return differ("denial", number(there.denial), number(wanted.denial));
  if (there.algorithm != wanted.algorithm) return differ("algorithm", number(there.algorithm), number(wanted.algorithm));
  if (there.wildcard_ca != wanted.wildcard_ca) return differ("wildcard_ca", number(there.wildcard_ca), number(wanted.wildcard_ca));
  if (there.mail_records != wanted.mail_records) return differ("mail_records", number(there.mail_records), number(wanted.mail_records));
  if (there.name_servers != wanted.name_servers) return differ("name_servers", Join(there.name_servers), Join(wanted.name_servers));
  return {};
}

}  // namespace

Result<NamespaceRecord> FindNamespaceIn(Transaction& transaction, const dns::Name& name) {
  const pqxx::result found = Execute(transaction, kFind, Bytea(name.wire()));
  if (found.empty()) return Fail(Reason::kNotFound, "namespace", "an existing namespace", name.Format());
  return Read(found.front());
}

Result<NamespaceRecord> CreateNamespace(Database& database, const Actor& actor, const NamespaceRecord& wanted) {
  return database.Transact("create namespace", [&](Transaction& transaction) -> Result<NamespaceRecord> {
    if (Execute(transaction, kFindOperator, wanted.operator_id).empty())
      return Fail(Reason::kNotFound, "operator_id", "an existing operator", wanted.operator_id);
    if (Execute(transaction, kFindPolicy, wanted.policy).empty())
      return Fail(Reason::kEnumUnknown, "policy", "fast, standard, relaxed, or another of `idzone policy list`", wanted.policy);
    const std::string text = wanted.name.Format();
    const auto inserted = Execute(
        transaction, kInsert, Bytea(wanted.name.wire()), text, wanted.operator_id, static_cast<int>(wanted.layout.kind),
        static_cast<int>(wanted.layout.width), wanted.policy, static_cast<int>(wanted.profile),
        TextArray(std::vector<std::string_view>(wanted.name_servers.begin(), wanted.name_servers.end())),
        static_cast<int>(wanted.layout.form), static_cast<int>(wanted.labels), Bytea(wanted.sealed_secret), static_cast<int>(wanted.denial),
        static_cast<int>(wanted.algorithm), wanted.wildcard_ca, wanted.mail_records, wanted.has_cuts);
    auto there = FindNamespaceIn(transaction, wanted.name);
    if (!there) return there;
    if (auto same = CheckSame(*there, wanted); !same) return tl::unexpected(same.error());
    if (inserted.affected_rows() == 1)
      WriteEvent(transaction, actor,
                 {.kind = "namespace.created", .namespace_id = there->namespace_id, .detail = JsonObject({{"namespace", text}})});
    return there;
  });
}

Result<NamespaceRecord> FindNamespace(Database& database, const dns::Name& name) {
  return database.Transact("find namespace", [&](Transaction& transaction) { return FindNamespaceIn(transaction, name); });
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
