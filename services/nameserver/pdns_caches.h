// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <vector>

#include "services/nameserver/cache_purge.h"
#include "services/nameserver/served.h"

namespace idzone::nameserver {

/// PowerDNS's own caches, through what pdns_server exports: packet cache, metadata cache, list of zones. Threads: any.
class PdnsCaches : public AnswerCaches {
 public:
  /// `served` must outlive it.
  explicit PdnsCaches(Served& served) : served_(served) {}
  void ForgetName(OctetsView name) override;
  void ForgetBelow(OctetsView name) override;
  void ForgetZone(OctetsView apex) override;
  void ForgetAll() override;
  /// As ForgetZone, of several; none: of all. Many are forgotten with everything, for each costs a look into all parts of the caches.
  void ForgetZones(const std::vector<OctetsView>& apexes);
  /// Tells that there is a zone of that number from now on; nothing: that there is none.
  static void SetZone(OctetsView apex, std::optional<replica::ZoneNumber> number);

 private:
  Served& served_;
};

}  // namespace idzone::nameserver
