// SPDX-License-Identifier: MIT
#include "services/replica/follower_home.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "services/process/log.h"
#include "services/replica/damage_note.h"

namespace idzone::replica {

using process::LogLevel;

Result<std::unique_ptr<ReplicaHome>> ReplicaHome::Open(Options options, const std::stop_token& stop) {
  const std::string& directory = options.directory;
  std::error_code failure;
  std::filesystem::create_directories(directory, failure);
  if (failure) return Fail(Reason::kUnavailable, "replica " + directory, "a directory that can be made", failure.message());
  PrepareDamageNotes(directory);
  auto findings = InspectInChild(options.inspector, directory, stop);
  if (!findings && findings.error().reason != Reason::kNotFound) return tl::unexpected(findings.error());
  Result<WritePlace> place = WritePlace{.directory = directory, .aside = false};
  if (findings && findings->damage) process::LogError(LogLevel::kError, "replica.damaged", *findings->damage);
  if (!findings || findings->damage) place = PrepareRebuild(directory);
  if (!place) return tl::unexpected(place.error());

  std::unique_ptr<ReplicaHome> home(new ReplicaHome(std::move(options), *std::move(place)));
  auto writer = ReplicaWriter::Open(home->place_.directory, home->options_.map_octets);
  if (!writer) return tl::unexpected(writer.error());
  home->writer_ = *std::move(writer);
  if (!home->place_.aside) {
    home->Watch();
    return home;
  }
  if (findings) home->remembered_ = std::move(findings->remembered);
  for (const Remembered& remembered : home->remembered_) {
    if (remembered.pins.empty()) continue;
    if (auto kept = home->writer_->SetPins(remembered.zone, remembered.pins); !kept) return tl::unexpected(kept.error());
  }
  process::Log(LogLevel::kInfo, "replica.made_anew", {{"zones_remembered", home->remembered_.size()}});
  return home;
}

Result<void> ReplicaHome::MoveIn() {
  if (!place_.aside) return {};
  if (auto moved = TakePlace(options_.directory); !moved) return moved;
  place_ = {.directory = options_.directory, .aside = false};
  process::Log(LogLevel::kInfo, "replica.moved_in");
  Watch();
  return {};
}

std::optional<Error> ReplicaHome::damage() const {
  const std::lock_guard lock(damage_mutex_);
  return damage_;
}

std::optional<Error> ReplicaHome::InspectLive() const {
  const auto findings = InspectInChild(options_.inspector, options_.directory, lost_.get_token());
  if (!findings) {
    // No replica, or one of another version, in the place of the one that is open is damage; the rest says nothing.
    if (findings.error().reason == Reason::kNotFound || findings.error().reason == Reason::kSchemaMismatch)
      return Error{Reason::kEncodingMalformed, "replica " + options_.directory, "the one that is open", findings.error().Detail()};
    process::LogError(LogLevel::kWarning, "replica.not_inspected", findings.error());
    return std::nullopt;
  }
  return findings->damage;
}

void ReplicaHome::Watch() {
  WatchEvents events{.inspect = [this] { return InspectLive(); },
                     .readers_died =
                         [](int readers) {
                           process::Log(LogLevel::kWarning, "replica.dead_readers_cleared", {{"readers", readers}});
                         },
                     .suspicion_dropped = [] { process::Log(LogLevel::kInfo, "replica.whole"); },
                     .damaged =
                         [this](const Error& damage) {
                           process::LogError(LogLevel::kError, "replica.damaged", damage);
                           {
                             const std::lock_guard lock(damage_mutex_);
                             damage_ = damage;
                           }
                           lost_.request_stop();
                         }};
  watch_ = std::make_unique<ReplicaWatch>(FileWatch(writer_->environment(), options_.directory), std::move(events));
}

}  // namespace idzone::replica
