// SPDX-License-Identifier: MIT
#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/call.h"
#include "cli/commands/commands.h"
#include "cli/output/resource.h"
#include "idzone/v1/key_service.grpc.pb.h"
#include "services/core/base/octets.h"

namespace idzone::cli {
namespace {

using Stub = v1::KeyService::Stub;

struct Options {
  std::string name;
  std::string zone;
  std::string key;
  std::string style;
  std::string scheme;
  std::string algorithm;
  bool all = false;
  bool emergency = false;
  bool parent_has_ds = false;
};

/// Returns "active" of SIGNING_KEY_STATE_ACTIVE.
std::string Word(const std::string& enum_name, const std::string& prefix) {
  std::string word = enum_name.rfind(prefix, 0) == 0 ? enum_name.substr(prefix.size()) : enum_name;
  std::transform(word.begin(), word.end(), word.begin(), [](char c) { return c == '_' ? '-' : static_cast<char>(std::tolower(c)); });
  return word;
}

/// A record in one line, with single spaces.
std::string OneLine(std::string record) {
  std::replace(record.begin(), record.end(), '\t', ' ');
  return record;
}

std::string UsesOf(const v1::SigningKey& key) {
  std::string uses;
  const auto add = [&](bool used, const char* word) {
    if (used) uses += (uses.empty() ? "" : " ") + std::string(word);
  };
  add(key.in_dnskey(), "dnskey");
  add(key.signs_keys(), "signs-keys");
  add(key.signs_data(), "signs-data");
  add(key.in_ds(), "ds");
  return uses.empty() ? "-" : uses;
}

Json ToJson(const v1::SigningKey& key) {
  return {{"zone", key.zone_name()},
          {"key_tag", key.key_tag()},
          {"algorithm", key.algorithm()},
          {"role", Word(v1::KeyRole_Name(key.role()), "KEY_ROLE_")},
          {"state", Word(v1::SigningKeyState_Name(key.state()), "SIGNING_KEY_STATE_")},
          {"uses", UsesOf(key)},
          {"create_time", FormatTime(key.create_time())},
          {"state_time", FormatTime(key.state_time())},
          {"key_id", HexEncode(key.key_id())},
          {"dnskey_record", OneLine(key.dnskey_record())},
          {"ds_record", OneLine(key.ds_record())}};
}

Json ToJson(const v1::KeyStatus& status) {
  Json object = {{"namespace", status.namespace_name()}, {"zone", status.zone_name()}, {"advice", status.advice()}};
  if (status.zones_with_keys() > 0) {
    object["zones_with_keys"] = status.zones_with_keys();
    object["zones_rolling"] = status.zones_rolling();
  }
  if (status.has_roll()) {
    const v1::KeyRoll& roll = status.roll();
    object["style"] = Word(v1::RollStyle_Name(roll.style()), "ROLL_STYLE_");
    object["phase"] = Word(v1::RollPhase_Name(roll.phase()), "ROLL_PHASE_");
    object["emergency"] = roll.emergency();
    if (roll.emergency_follows()) object["emergency_follows"] = true;
    object["algorithm"] = roll.algorithm();
    object["begin_time"] = FormatTime(roll.begin_time());
    object["phase_begin_time"] = FormatTime(roll.phase_begin_time());
    object["wait"] = roll.wait() == v1::ROLL_WAIT_UNSPECIFIED ? "nothing" : Word(v1::RollWait_Name(roll.wait()), "ROLL_WAIT_");
    if (roll.has_wait_end_time()) object["wait_end_time"] = FormatTime(roll.wait_end_time());
  } else {
    object["phase"] = "none";
  }
  if (status.has_keys_due_time()) object["keys_due_time"] = FormatTime(status.keys_due_time());
  if (status.has_zsk_due_time()) object["zsk_due_time"] = FormatTime(status.zsk_due_time());
  object["parent_records"] = Json::array();
  for (const auto& record : status.parent_records()) object["parent_records"].push_back(OneLine(record));
  if (status.has_parent_ask_time()) {
    object["parent_answer"] = status.parent_answer();
    object["parent_ask_time"] = FormatTime(status.parent_ask_time());
  }
  if (!status.refusal().empty()) object["refusal"] = status.refusal();
  if (status.waiting_commands() > 0) object["waiting_commands"] = status.waiting_commands();
  return object;
}

/// Gives each key to `take`, page by page, until that says false.
Outcome ForEachKey(const Session& session, const Options& options, bool include_removed,
                   const std::function<bool(const v1::SigningKey&)>& take) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  v1::ListKeysRequest request;
  request.set_namespace_name(options.name);
  request.set_zone_name(options.zone);
  request.set_include_removed(include_removed);
  do {
    const auto response = Call(session, stub, &Stub::ListKeys, request, "list keys of " + options.name);
    if (!response) return tl::unexpected(response.error());
    for (const auto& key : response->keys()) {
      if (!take(key)) return ExitCode::kOk;
    }
    request.set_page_token(response->next_page_token());
  } while (!request.page_token().empty());
  return ExitCode::kOk;
}

Outcome List(const Session& session, const Options& options) {
  ListWriter writer(session.out, session.format,
                    {{"ZONE", "zone"},
                     {"TAG", "key_tag"},
                     {"ALGORITHM", "algorithm"},
                     {"ROLE", "role"},
                     {"STATE", "state"},
                     {"USES", "uses"},
                     {"CREATED", "create_time"},
                     {"KEY", "key_id"}});
  auto listed = ForEachKey(session, options, options.all, [&](const v1::SigningKey& key) {
    writer.Add(ToJson(key));
    return true;
  });
  if (listed) writer.End();
  return listed;
}

Outcome Show(const Session& session, const Options& options) {
  std::vector<v1::SigningKey> found;
  const auto looked = ForEachKey(session, options, true, [&](const v1::SigningKey& key) {
    if (std::to_string(key.key_tag()) == options.key || HexEncode(key.key_id()) == options.key) found.push_back(key);
    return found.size() < 2;
  });
  if (!looked) return looked;
  if (found.size() == 1) {
    WriteObject(session.out, session.format, ToJson(found.front()));
    return ExitCode::kOk;
  }
  // Tags are unique within a zone.
  const std::string met = found.empty() ? options.key : options.key + ", of several zones: give --zone";
  return tl::unexpected(Failure{
      "show key " + options.key, {Reason::kNotFound, "key", "the tag or id of one key of " + options.name, met}, ExitCode::kRefused});
}

Outcome Status(const Session& session, const Options& options) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  v1::GetKeyStatusRequest request;
  request.set_namespace_name(options.name);
  request.set_zone_name(options.zone);
  const auto response = Call(session, stub, &Stub::GetKeyStatus, request, "show key status of " + options.name);
  if (!response) return tl::unexpected(response.error());
  WriteObject(session.out, session.format, ToJson(response->status()));
  return ExitCode::kOk;
}

v1::RollStyle StyleOf(const std::string& word) {
  if (word == "zsk") return v1::ROLL_STYLE_ZSK_PRE_PUBLISH;
  if (word == "ksk") return v1::ROLL_STYLE_KSK_DOUBLE_SIGNATURE;
  if (word == "ksk-double-ds") return v1::ROLL_STYLE_KSK_DOUBLE_DS;
  if (word == "algorithm") return v1::ROLL_STYLE_ALGORITHM;
  return v1::ROLL_STYLE_ALL_KEYS;
}

Outcome ConfirmParent(const Session& session, Stub& stub, const Options& options) {
  v1::ConfirmParentRequest request;
  request.set_namespace_name(options.name);
  const auto response = Call(session, stub, &Stub::ConfirmParent, request, "confirm the parent of " + options.name);
  if (!response) return tl::unexpected(response.error());
  WriteObject(session.out, session.format, ToJson(response->status()));
  return ExitCode::kOk;
}

Outcome Roll(const Session& session, const Options& options) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  if (options.parent_has_ds) return ConfirmParent(session, stub, options);
  v1::RollKeyRequest request;
  request.set_namespace_name(options.name);
  request.set_zone_name(options.zone);
  request.set_style(StyleOf(options.style));
  request.set_emergency(options.emergency);
  if (options.style == "algorithm") request.set_algorithm(options.algorithm == "ed25519" ? 15 : 13);
  if (options.scheme == "csk") request.add_roles(v1::KEY_ROLE_CSK);
  if (options.scheme == "split") {
    request.add_roles(v1::KEY_ROLE_KSK);
    request.add_roles(v1::KEY_ROLE_ZSK);
  }
  const auto response = Call(session, stub, &Stub::RollKey, request, "roll keys of " + options.name);
  if (!response) return tl::unexpected(response.error());
  WriteObject(session.out, session.format, ToJson(response->status()));
  return ExitCode::kOk;
}

}  // namespace

void AddKeyCommands(CLI::App& app, Session& session) {
  CLI::App* noun = app.add_subcommand("key", "The signing keys of namespaces, and their replacement");
  noun->require_subcommand(1);
  auto options = std::make_shared<Options>();
  const auto add = [&](const char* verb, const char* text, Outcome (*run)(const Session&, const Options&)) {
    CLI::App* command = noun->add_subcommand(verb, text);
    command->add_option("NAMESPACE", options->name, "The namespace's name")->required();
    command->add_option("--zone", options->zone, "One of its zones, where each has keys of its own");
    command->callback([&session, options, run] { session.command = [&session, options, run] { return run(session, *options); }; });
    return command;
  };

  add("list", "List a namespace's keys and what its zones do with them", List)->add_flag("--all", options->all, "With keys that are gone");
  add("show", "Show one key, with its DNSKEY and DS records", Show)
      ->add_option("KEY", options->key, "Its tag, or its id (64 hex digits)")
      ->required();
  add("status", "Show the roll under way, what it waits for and what to do", Status);

  CLI::App* roll = add("roll", "Replace keys, or say that the parent has done its part", Roll);
  auto* style = roll->add_option("--style", options->style, "What is replaced, and how (default: all keys)")
                    ->check(CLI::IsMember({"all", "zsk", "ksk", "ksk-double-ds", "algorithm"}));
  auto* algorithm = roll->add_option("--algorithm", options->algorithm, "The new algorithm, with --style algorithm")
                        ->check(CLI::IsMember({"ecdsap256", "ed25519"}));
  auto* scheme = roll->add_option("--scheme", options->scheme, "From now on: one key (csk), or a KSK and a ZSK (split)")
                     ->check(CLI::IsMember({"csk", "split"}));
  auto* emergency = roll->add_flag("--emergency", options->emergency,
                                   "A key is compromised: give up a roll under way, or have it hurry where there is no room for more keys");
  roll->add_flag("--parent-has-ds", options->parent_has_ds, "All servers of the parent publish the DS records that the roll waits for")
      ->excludes("--zone")
      ->excludes(style)
      ->excludes(algorithm)
      ->excludes(scheme)
      ->excludes(emergency);
  roll->callback([&session, options, algorithm] {
    if ((options->style == "algorithm") != (algorithm->count() > 0))
      throw CLI::ValidationError("--algorithm", "goes with --style algorithm, and is required there");
    session.command = [&session, options] { return Roll(session, *options); };
  });
}

}  // namespace idzone::cli
