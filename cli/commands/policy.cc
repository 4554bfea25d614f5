// SPDX-License-Identifier: MIT
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/call.h"
#include "cli/commands/commands.h"
#include "cli/output/resource.h"
#include "idzone/v1/policy_service.grpc.pb.h"

namespace idzone::cli {
namespace {

using Stub = v1::PolicyService::Stub;

/// Spans in seconds; 0: not given.
struct Options {
  std::string name;
  std::uint32_t ttl = 0;
  std::uint32_t negative_ttl = 0;
  std::uint64_t life = 0, resign = 0;
  std::uint64_t denial_life = 0, denial_resign = 0;
  std::uint64_t apex_life = 0, apex_resign = 0;
  std::uint64_t soa_expire = 0;
  std::string key_scope, key_scheme;
  std::uint64_t key_life = 0, zsk_life = 0;
};

Json LifeJson(const v1::SignatureLife& life) {
  return {{"life_seconds", life.life().seconds()}, {"resign_seconds", life.resign_period().seconds()}};
}

Json KeysJson(const v1::KeyPolicy& keys) {
  return {{"scope", keys.scope() == v1::KEY_SCOPE_ZONE ? "zone" : "namespace"},
          {"scheme", keys.scheme() == v1::KEY_SCHEME_SPLIT ? "split" : "csk"},
          {"key_life_seconds", keys.key_life().seconds()},
          {"zsk_life_seconds", keys.zsk_life().seconds()}};
}

Json ToJson(const v1::Policy& policy) {
  return {{"name", policy.name()},
          {"ttl_seconds", policy.ttl_seconds()},
          {"negative_ttl_seconds", policy.negative_ttl_seconds()},
          {"life_seconds", policy.identity().life().seconds()},
          {"resign_seconds", policy.identity().resign_period().seconds()},
          {"identity", LifeJson(policy.identity())},
          {"denial", LifeJson(policy.denial())},
          {"apex", LifeJson(policy.apex())},
          {"soa_expire_seconds", policy.soa_expire().seconds()},
          {"quarantine_seconds", policy.quarantine().seconds()},
          {"keys", KeysJson(policy.keys())},
          {"built_in", policy.built_in()},
          {"create_time", FormatTime(policy.create_time())}};
}

void SetLife(v1::SignatureLife* proto, std::uint64_t life, std::uint64_t resign) {
  proto->mutable_life()->set_seconds(static_cast<std::int64_t>(life));
  proto->mutable_resign_period()->set_seconds(static_cast<std::int64_t>(resign));
}

Outcome Create(const Session& session, const Options& options) {
  v1::CreatePolicyRequest request;
  v1::Policy& policy = *request.mutable_policy();
  policy.set_name(options.name);
  policy.set_ttl_seconds(options.ttl);
  policy.set_negative_ttl_seconds(options.negative_ttl);
  SetLife(policy.mutable_identity(), options.life, options.resign);
  if (options.denial_life != 0) SetLife(policy.mutable_denial(), options.denial_life, options.denial_resign);
  if (options.apex_life != 0) SetLife(policy.mutable_apex(), options.apex_life, options.apex_resign);
  if (options.soa_expire != 0) policy.mutable_soa_expire()->set_seconds(static_cast<std::int64_t>(options.soa_expire));

  v1::KeyPolicy& keys = *policy.mutable_keys();
  keys.set_scope(options.key_scope == "zone" ? v1::KEY_SCOPE_ZONE : v1::KEY_SCOPE_NAMESPACE);
  keys.set_scheme(options.key_scheme == "split" ? v1::KEY_SCHEME_SPLIT : v1::KEY_SCHEME_COMBINED);
  keys.mutable_key_life()->set_seconds(static_cast<std::int64_t>(options.key_life));
  keys.mutable_zsk_life()->set_seconds(static_cast<std::int64_t>(options.zsk_life));

  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  const auto response = Call(session, stub, &Stub::CreatePolicy, request, "create policy " + options.name);
  if (!response) return tl::unexpected(response.error());
  WriteObject(session.out, session.format, ToJson(response->policy()));
  return ExitCode::kOk;
}

Outcome List(const Session& session) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  ListWriter writer(session.out, session.format,
                    {{"NAME", "name"},
                     {"TTL", "ttl_seconds"},
                     {"LIFE", "life_seconds"},
                     {"RESIGN", "resign_seconds"},
                     {"QUARANTINE", "quarantine_seconds"}});
  v1::ListPoliciesRequest request;
  do {
    const auto response = Call(session, stub, &Stub::ListPolicies, request, "list policies");
    if (!response) return tl::unexpected(response.error());
    for (const auto& policy : response->policies()) writer.Add(ToJson(policy));
    request.set_page_token(response->next_page_token());
  } while (!request.page_token().empty());
  writer.End();
  return ExitCode::kOk;
}

Outcome Show(const Session& session, const Options& options) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  v1::GetPolicyRequest request;
  request.set_name(options.name);
  const auto response = Call(session, stub, &Stub::GetPolicy, request, "show policy " + options.name);
  if (!response) return tl::unexpected(response.error());
  WriteObject(session.out, session.format, ToJson(response->policy()));
  return ExitCode::kOk;
}

/// Adds an option that reads "90m", "72h" or "10d"; a plain number is seconds.
CLI::Option* AddSpan(CLI::App& command, const char* name, std::uint64_t& seconds, const char* text) {
  static const std::map<std::string, std::uint64_t> kUnits = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}};
  return command.add_option(name, seconds, text)->transform(CLI::AsNumberWithUnit(kUnits, CLI::AsNumberWithUnit::CASE_SENSITIVE, "SPAN"));
}

}  // namespace

void AddPolicyCommands(CLI::App& app, Session& session) {
  CLI::App* noun = app.add_subcommand("policy", "Times of zones: TTLs, lives of signatures, how often they are renewed");
  noun->require_subcommand(1);
  auto options = std::make_shared<Options>();

  CLI::App* create = noun->add_subcommand("create", "Make a policy; none is ever changed");
  create->add_option("NAME", options->name, "Lower-case letters, digits and hyphens")->required();
  create->add_option("--ttl", options->ttl, "TTL of identity records, seconds")->required();
  create->add_option("--negative-ttl", options->negative_ttl, "TTL of denials, seconds (default: the lesser of --ttl and 300)");
  AddSpan(*create, "--life", options->life, "Life of signatures: 90m, 72h, 10d; bounds for how long a revoked record can be replayed")
      ->required();
  AddSpan(*create, "--resign", options->resign, "How often they are renewed: at most a third of --life")->required();
  CLI::Option* denial_life = AddSpan(*create, "--denial-life", options->denial_life, "The same for denials (default: as --life)");
  CLI::Option* denial_resign = AddSpan(*create, "--denial-resign", options->denial_resign, "The same for denials (default: as --resign)");
  denial_life->needs(denial_resign);
  denial_resign->needs(denial_life);
  CLI::Option* apex_life = AddSpan(*create, "--apex-life", options->apex_life, "The same for SOA, NS and DNSKEY (default: as --life)");
  CLI::Option* apex_resign =
      AddSpan(*create, "--apex-resign", options->apex_resign, "The same for SOA, NS and DNSKEY (default: as --resign)");
  apex_life->needs(apex_resign);
  apex_resign->needs(apex_life);
  AddSpan(
      *create, "--soa-expire", options->soa_expire,
      "After which a secondary that is cut off goes silent (default: what the oldest signatures have left, --life less 25/16 --resign)");
  create->add_option("--keys", options->key_scope, "Whose keys there are: shared by the zones of a namespace (default), or each zone's own")
      ->check(CLI::IsMember({"namespace", "zone"}));
  create->add_option("--scheme", options->key_scheme, "Of the first keys: one key (csk, default), or a KSK and a ZSK (split)")
      ->check(CLI::IsMember({"csk", "split"}));
  AddSpan(*create, "--key-life", options->key_life,
          "After which the CSK, or the KSK, is rolled without an order (default: never, for the parent has to do its part)");
  AddSpan(*create, "--zsk-life", options->zsk_life, "The same for the ZSK, with --scheme split (default: never)");
  create->callback([&session, options] { session.command = [&session, options] { return Create(session, *options); }; });

  CLI::App* list = noun->add_subcommand("list", "List policies");
  list->callback([&session] { session.command = [&session] { return List(session); }; });

  CLI::App* show = noun->add_subcommand("show", "Show a policy");
  show->add_option("NAME", options->name, "The policy's name")->required();
  show->callback([&session, options] { session.command = [&session, options] { return Show(session, *options); }; });
}

}  // namespace idzone::cli
