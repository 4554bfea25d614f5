// SPDX-License-Identifier: MIT
#include <fstream>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/call.h"
#include "cli/commands/identity.h"
#include "cli/import/import_session.h"
#include "cli/import/output_files.h"
#include "cli/import/version_follower.h"
#include "cli/output/progress.h"
#include "idzone/v1/namespace_service.grpc.pb.h"
#include "services/process/lifecycle.h"
#include "services/process/log.h"

namespace idzone::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string namespace_name;
  std::string file;
  std::string format;
  std::string base;
  std::string results;
  std::string failed;
  std::string label;
  std::size_t window = 1024;
  double publish_seconds = 120;
};

/// When the caller interrupts, versions that come in the next moments are still written.
constexpr std::chrono::milliseconds kPatienceAfterStop{2'000};

struct Files {
  ImportFormat format = ImportFormat::kCsv;
  std::filesystem::path results;
  std::filesystem::path failed;
  std::uint64_t octets_total = 0;
};

/// Returns whether a stream that stands at its beginning holds JSON lines.
bool LooksLikeJson(std::istream& stream) {
  while (stream.peek() == ' ' || stream.peek() == '\n') stream.get();
  return stream.peek() == '{';
}

Result<Files> ChooseFiles(const Options& options, std::istream& stream) {
  Files files;
  const bool standard_input = options.file == "-";
  const std::filesystem::path name = standard_input ? "import" : options.file;
  if (!options.format.empty()) {
    files.format = options.format == "csv" ? ImportFormat::kCsv : ImportFormat::kJsonLines;
  } else if (const auto by_name = FormatOfFileName(name)) {
    files.format = *by_name;
  } else {
    files.format = LooksLikeJson(stream) ? ImportFormat::kJsonLines : ImportFormat::kCsv;
  }
  const std::string ending = files.format == ImportFormat::kCsv ? ".csv" : ".jsonl";
  files.results = options.results.empty() ? name.string() + ".results.jsonl" : options.results;
  files.failed = options.failed.empty() ? name.string() + ".failed" + ending : options.failed;
  std::error_code ignored;
  for (const auto* output : {&files.results, &files.failed}) {
    if (!standard_input && std::filesystem::equivalent(*output, name, ignored))
      return Fail(Reason::kValueMalformed, output->string(), "another file than the one that is imported", "the same file");
  }
  if (!standard_input && std::filesystem::is_regular_file(name, ignored)) files.octets_total = std::filesystem::file_size(name, ignored);
  return files;
}

/// A name that does not exist would otherwise be refused item by item, a million times. Returns it fully qualified.
tl::expected<std::string, Failure> FindNamespace(const Session& session, const std::shared_ptr<grpc::Channel>& channel,
                                                 const std::string& name) {
  v1::NamespaceService::Stub stub(channel);
  v1::GetNamespaceRequest request;
  request.set_name(name);
  const auto response = Call(session, stub, &v1::NamespaceService::Stub::GetNamespace, request, "import into " + name);
  if (!response) return tl::unexpected(response.error());
  return response->namespace_resource().name();
}

struct Summary {
  ImportCounts counts;
  std::uint64_t unpublished = 0;
  bool interrupted = false;
  double seconds = 0;
};

Json ToJson(const Options& options, const Files& files, const Summary& summary) {
  const ImportCounts& counts = summary.counts;
  const auto done = static_cast<double>(counts.enrolled + counts.already + counts.failed);
  Json object = {{"file", options.file},
                 {"enrolled", counts.enrolled},
                 {"already", counts.already},
                 {"refused", counts.failed},
                 {"refused_by_reason", Json(counts.failed_by_reason)},
                 {"not_yet_published", summary.unpublished},
                 {"reconnections", counts.reconnections},
                 {"interrupted", summary.interrupted},
                 {"seconds", static_cast<double>(static_cast<std::int64_t>(summary.seconds * 1000)) / 1000},
                 {"per_second", static_cast<std::uint64_t>(summary.seconds > 0 ? done / summary.seconds : 0)},
                 {"results", files.results.string()},
                 {"failed", nullptr}};
  if (counts.failed > 0) object["failed"] = files.failed.string();
  return object;
}

Outcome Conclude(const Session& session, const Options& options, const Files& files, const Summary& summary,
                 const tl::expected<void, Failure>& ran) {
  WriteObject(session.out, session.format, ToJson(options, files, summary));
  session.out.flush();
  if (!ran) {
    session.err << "The import ended early. Run the same command again: what is enrolled stays enrolled." << std::endl;
    return tl::unexpected(ran.error());
  }
  if (summary.interrupted) {
    session.err << "Interrupted. Run the same command again: what is enrolled stays enrolled." << std::endl;
    return ExitCode::kOther;
  }
  if (summary.counts.failed > 0) {
    session.err << "Some records were refused. Mend them in " << files.failed.string() << " and import that file." << std::endl;
    return ExitCode::kPartial;
  }
  if (summary.unpublished > 0) {
    session.err << "Everything is enrolled, but the signer has not published all of it yet: see the wait command." << std::endl;
    return ExitCode::kUnreachable;
  }
  return ExitCode::kOk;
}

Outcome Import(const Session& session, const Options& options) {
  // "Draining" is news for a daemon's log; here the summary says it.
  static_cast<void>(process::SetLogThreshold("error"));
  // Before any other thread (and gRPC has many): they inherit the blocked signals.
  process::SignalWatch signals;
  const std::string what = "import " + options.file;
  std::ifstream file;
  if (options.file != "-") {
    file.open(options.file, std::ios::binary);
    if (!file) return tl::unexpected(Misused(what, {Reason::kNotFound, options.file, "a readable file", "it cannot be opened"}));
  }
  std::istream& stream = options.file == "-" ? std::cin : file;
  const Result<Files> files = ChooseFiles(options, stream);
  if (!files) return tl::unexpected(Misused(what, files.error()));
  const std::filesystem::path base =
      options.base.empty() ? std::filesystem::path(options.file).parent_path() : std::filesystem::path(options.base);
  const auto source = OpenImportSource(stream, {.format = files->format, .base = base});
  if (!source) return tl::unexpected(Misused(what, source.error()));

  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  const auto namespace_name = FindNamespace(session, *channel, options.namespace_name);
  if (!namespace_name) return tl::unexpected(namespace_name.error());
  v1::EnrollmentService::Stub enrollment(*channel);
  v1::IdentityService::Stub identities(*channel);

  ResultsFile results(files->results);
  if (const Result<void> opened = results.Open(); !opened) return tl::unexpected(Misused(what, opened.error()));
  FailedFile failed(files->failed, **source);
  if (const Result<void> cleared = failed.Clear(); !cleared) return tl::unexpected(Misused(what, cleared.error()));

  const auto patience = std::chrono::milliseconds(static_cast<std::int64_t>(options.publish_seconds * 1000));
  VersionFollower follower(identities, results, {.namespace_name = *namespace_name, .patience = patience});
  ImportSession import(enrollment,
                       {.namespace_name = *namespace_name,
                        .label_privacy = LabelPrivacyOf(options.label),
                        .window = options.window,
                        .source_never_waits = files->octets_total > 0},
                       {.enrolled = [&](ImportResult result) { follower.Add(std::move(result)); },
                        .failed = [&](const ImportFault& fault) { failed.Write(fault); }});
  const std::stop_token stop = signals.token();
  const std::stop_callback hurry(stop, [&follower] { follower.Hurry(kPatienceAfterStop); });

  const auto begin = Clock::now();
  const auto elapsed = [begin] { return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin); };
  tl::expected<void, Failure> ran;
  {
    const ProgressDisplay display(session.err, ErrorIsTerminal(), [&] {
      const ImportCounts counts = import.counts();
      const std::uint64_t waiting = follower.waiting();
      return Progress{.done = counts.enrolled + counts.already + counts.failed,
                      .failed = counts.failed,
                      .octets_done = (*source)->octets_read(),
                      .octets_total = files->octets_total,
                      .elapsed = elapsed(),
                      .note = waiting > 0 ? std::to_string(waiting) + " being published" : ""};
    });
    ran = import.Run(**source, stop);
    follower.Finish(patience);
  }
  Summary summary{.counts = import.counts(),
                  .unpublished = follower.unpublished(),
                  .interrupted = stop.stop_requested(),
                  .seconds = static_cast<double>(elapsed().count()) / 1000};
  if (ran) ran = CloseOutputs(what, results, failed);
  return Conclude(session, options, *files, summary, ran);
}

}  // namespace

void AddIdentityImportCommand(CLI::App& command, Session& session, const IdentityNoun& noun) {
  auto options = std::make_shared<Options>();
  CLI::App* import = command.add_subcommand("import", "Enroll many from a file; it may be interrupted and run again");
  AddNamespaceArgument(*import, options->namespace_name, noun);
  import->add_option("FILE", options->file, "CSV or JSON lines, \"-\" for standard input")->required();
  import->add_option("--format", options->format, "csv or jsonl (default: from the file's name or content)")
      ->check(CLI::IsMember({"csv", "jsonl"}));
  import->add_option("--base", options->base, "Folder where relative paths in FILE start (default: FILE's folder)");
  import->add_option("--results", options->results, "Write what was enrolled there (default: FILE.results.jsonl)");
  import->add_option("--failed", options->failed,
                     "Write what was refused there, to be mended and imported (default: FILE.failed.csv or .jsonl)");
  AddLabelOption(*import, options->label, noun);
  import->add_option("--window", options->window, "Unanswered items under way (default: 1024)")->check(CLI::Range(1, 8192));
  import
      ->add_option("--publish-timeout", options->publish_seconds,
                   "Seconds without any publication after which results are written without their version (default: 120)")
      ->check(CLI::NonNegativeNumber);
  import->footer(
      "A record has an id and one of:\n"
      "  certificate, csr, public_key (PEM text, or base64 of DER), ssh_public_key (an OpenSSH line),\n"
      "  openpgp_key (armored text, or base64), or the same with _file behind it (a path).\n"
      "Other columns are carried over.\n"
      "  CSV, with a header:  id,certificate_file\n"
      "                       sensor7,certificates/sensor7.pem\n"
      "  JSON lines:          {\"id\": \"sensor7\", \"certificate\": \"-----BEGIN CERTIFICATE-----\\n...\"}");
  import->callback([&session, options] { session.command = [&session, options] { return Import(session, *options);
};
}  // namespace idzone::cli
);
}

}  // namespace idzone::cli
