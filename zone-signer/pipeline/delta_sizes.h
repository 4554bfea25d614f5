// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>

namespace idzone::signer::pipeline {

/// How many names a transaction may change so that the delta of each zone fits into a message of the feed, by what the ones before it came
/// to: a larger version reaches edges as a whole zone. Pure. Threads: one.
/// Limits: names of another size than before may come; such a version is sent as a whole zone.
class DeltaSizes {
 public:
  /// Returns how many fit, 1 at least; few, where nothing is known of the namespace yet.
  std::int64_t NamesThatFit(std::int32_t namespace_id) const;

  /// Takes what a transaction changed and the octets of its largest delta; 0: it published nothing. Few names say nothing about many.
  void Learn(std::int32_t namespace_id, std::int64_t names, std::int64_t largest_delta);

 private:
  std::map<std::int32_t, std::int64_t> octets_each_;  // by namespace
};

}  // namespace idzone::signer::pipeline
