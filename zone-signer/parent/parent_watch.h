// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "services/core/base/clock.h"
#include "services/verifier/verifier.h"

/// Asks the external parents of zones for their DS records, on a thread of its own, so that a parent that does not answer
/// stops nothing. What is not validated is not believed: a forged DS answer would make a roll drop the key that the world
/// still needs.
namespace idzone::signer::parent {

/// What a parent was seen to publish for a zone.
struct ParentSight {
  UnixTime asked_at;
  std::vector<Octets> ds;  // DS RDATA; none: it is proved that there is none
  std::chrono::seconds ttl{0};
  std::string problem;  // why there is no answer to believe; empty when there is one
};

struct ParentOptions {
  /// "ADDRESS" or "ADDRESS@PORT" of a resolver, or of a server of the zones in the anchors file.
  std::string resolver;
  bool resolver_is_authoritative = false;
  std::filesystem::path anchors_file;
  /// The least TTL that the parent's DS records are taken to have: a resolver's answer tells what is left of it.
  std::chrono::seconds ttl_min{0};
  std::chrono::seconds poll{60};
};

class ParentWatch {
 public:
  /// Checks what it is to ask by. NOT_FOUND, VALUE_MISSING, VALUE_MALFORMED. `clock` must outlive it.
  static Result<std::unique_ptr<ParentWatch>> Start(const ParentOptions& options, const Clock& clock);
  ~ParentWatch();
  ParentWatch(const ParentWatch&) = delete;
  ParentWatch& operator=(const ParentWatch&) = delete;

  /// Returns what was last seen, if anything yet. A zone that is looked at is asked about again in each poll; one that is not
  /// looked at any more is forgotten.
  std::optional<ParentSight> Look(const dns::Name& zone);

 private:
  using SteadyClock = std::chrono::steady_clock;
  struct Watched {
    std::optional<ParentSight> sight;
    SteadyClock::time_point looked_at;
    SteadyClock::time_point ask_at;
  };

  ParentWatch(const ParentOptions& options, verifier::VerifierOptions resolver, const Clock& clock);
  void Work(const std::stop_token& stop);
  ParentSight Ask(const dns::Name& zone) const;
  /// Returns the zone to ask about next, if one is due.
  std::optional<dns::Name> NextDue();

  const ParentOptions options_;
  const verifier::VerifierOptions resolver_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<dns::Name, Watched> zones_;  // bounded by the zones whose rolls change DS records there
  std::jthread thread_;
};

}  // namespace idzone::signer::parent
