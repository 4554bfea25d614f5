// SPDX-License-Identifier: MIT
#include "zone-signer/parent/parent_watch.h"

#include <algorithm>

namespace idzone::signer::parent {
namespace {

/// How often the thread looks for what is due.
constexpr std::chrono::milliseconds kTick(500);
/// After so many polls without a look, nobody rolls below that parent any more.
constexpr int kForgottenAfterPolls = 10;

}  // namespace

Result<std::unique_ptr<ParentWatch>> ParentWatch::Start(const ParentOptions& options, const Clock& clock) {
  auto anchors = verifier::ReadTrustAnchors(options.anchors_file);
  if (!anchors) return tl::unexpected(anchors.error());
  verifier::VerifierOptions resolver{
      .trust_anchors = std::move(*anchors), .resolver = options.resolver, .resolver_is_authoritative = options.resolver_is_authoritative};
  // What cannot be asked now never can be: a bad anchor or address.
  if (auto opened = verifier::Verifier::Open(resolver); !opened) return tl::unexpected(opened.error());
  return std::unique_ptr<ParentWatch>(new ParentWatch(options, std::move(resolver), clock));
}

ParentWatch::ParentWatch(const ParentOptions& options, verifier::VerifierOptions resolver, const Clock& clock)
    : options_(options), resolver_(std::move(resolver)), clock_(clock), thread_([this](const std::stop_token& stop) { Work(stop); }) {}

ParentWatch::~ParentWatch() {
  thread_.request_stop();
  changed_.notify_all();
}

std::optional<ParentSight> ParentWatch::Look(const dns::Name& zone) {
  const std::scoped_lock lock(mutex_);
  const auto now = SteadyClock::now();
  const auto [place, added] = zones_.try_emplace(zone);
  if (added) {
    place->second.ask_at = now;
    changed_.notify_all();
  }
  place->second.looked_at = now;
  return place->second.sight;
}

std::optional<dns::Name> ParentWatch::NextDue() {
  const auto now = SteadyClock::now();
  std::erase_if(zones_, [&](const auto& entry) { return entry.second.looked_at + kForgottenAfterPolls * options_.poll < now; });
  // The one that is due longest: parents that do not answer take long, and hold up nobody for ever.
  const auto next = std::min_element(zones_.begin(), zones_.end(),
                                     [](const auto& left, const auto& right) { return left.second.ask_at < right.second.ask_at; });
  if (next == zones_.end() || next->second.ask_at > now) return std::nullopt;
  next->second.ask_at = now + options_.poll;
  return next->first;
}

void ParentWatch::Work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto zone = NextDue();
    if (!zone) {
      changed_.wait_for(lock, stop, kTick, [] { return false; });
      continue;
    }
    lock.unlock();
    ParentSight sight = Ask(*zone);
    lock.lock();
    if (const auto found = zones_.find(*zone); found != zones_.end()) found->second.sight = std::move(sight);
  }
}

ParentSight ParentWatch::Ask(const dns::Name& zone) const {
  ParentSight sight{.asked_at = clock_.Now(), .ds = {}, .ttl = {}, .problem = {}};
  // A new context each time: its cache would show what the parent published before.
  auto verifier = verifier::Verifier::Open(resolver_);
  if (!verifier) {
    sight.problem = verifier.error().Detail();
    return sight;
  }
  const verifier::Finding finding = verifier->Ask(zone, dns::RrType::kDs, {});
  switch (finding.verdict) {
    case verifier::Verdict::kRecord:
      sight.ds = finding.records;
      sight.ttl = std::max(options_.ttl_min, std::chrono::seconds(finding.ttl_seconds));
      break;
    case verifier::Verdict::kNoRecord: sight.ttl = options_.ttl_min; break;
    default: sight.problem = "the parent's answer cannot be believed: " + finding.why; break;
  }
  return sight;
}

}  // namespace idzone::signer::parent
