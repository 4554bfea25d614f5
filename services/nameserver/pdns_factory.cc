// SPDX-License-Identifier: GPL-2.0-only
// What PowerDNS meets first: the module's announcement, its settings, and what a process has once.
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "pdns/arguments.hh"
#include "pdns/logger.hh"

#include "services/nameserver/housekeeping.h"
#include "services/nameserver/pdns_backend.h"
#include "services/nameserver/pdns_caches.h"
#include "services/nameserver/pdns_figures.h"

namespace idzone::nameserver {
namespace {

/// Settings with which answers would be wrong, checked before the first one. Query cache: its entries would mix versions
/// of a zone in one answer. consistent-backends: it turns every look-up into ANY, and then the one that opens a query
/// cannot be told from later ones.
void RequireSafeSettings() {
  for (const char* name : {"query-cache-ttl", "negquery-cache-ttl"})
    if (::arg().asNum(name) != 0) throw PDNSException("[identity] needs " + std::string(name) + "=0, for an answer must not mix versions");
  if (::arg().mustDo("consistent-backends"))
    throw PDNSException("[identity] needs consistent-backends=no, without which it cannot see where a query begins");
}

/// What a process has once, whatever the number of instances.
class Edge {
 public:
  explicit Edge(const std::string& directory) : source(directory, ReportLine, &news_) {}
  void RunForever() {
    source.RunForever();
    purge_.RunForever();
    housekeeping_.RunForever();
  }

  static void ReportLine(const std::string& text) { g_log << Logger::Warning << "[identity] " << text << std::endl; }

 private:
  // Before the source, which tells it.
  ZoneNews news_{PdnsCaches::SetZone, [this](const std::vector<OctetsView>& apexes) { caches_.ForgetZones(apexes); }};

 public:
  ReplicaSource source;
  Served served;

 private:
  PdnsCaches caches_{served};
  CachePurge purge_{[this] { return source.Current(); }, caches_, news_};
  Housekeeping housekeeping_{{.current = [this] { return source.Current(); }, .read = ReadPdnsFigures, .report = ReportLine}, served};
};

class IdentityFactory : public BackendFactory {
 public:
  IdentityFactory() : BackendFactory("identity") {}

  void declareArguments(const std::string& suffix) override {
    declare(suffix, "replica", "Directory of the replica that idzone-replicad keeps", "/var/lib/idzone/replica");
    declare(suffix, "secondaries", "File of the secondaries that may transfer zones: on a transfer host only", "");
  }

  DNSBackend* make(const std::string& suffix) override {
    RequireSafeSettings();
    Edge& edge = TheEdge(suffix);
    return new IdentityBackend(suffix, edge.source, edge.served, Transfer(suffix, edge.source));
  }

 private:
  /// One replica a process, whatever the number of instances; made with the first of them, which is after PowerDNS has
  /// gone into the background, since LMDB does not survive a fork. Never deleted: threads use it until the very end.
  static Edge& TheEdge(const std::string& suffix) {
    static std::mutex mutex;
    static Edge* edge = nullptr;
    static std::string first_suffix;
    const std::lock_guard lock(mutex);
    if (edge == nullptr) {
      edge = new Edge(::arg()["identity" + suffix + "-replica"]);
      edge->RunForever();
      first_suffix = suffix;
    }
    if (suffix != first_suffix) throw PDNSException("[identity] can be launched once: there is one replica in a process");
    return *edge;
  }

  /// Read once: a change of the list takes a restart.
  static const TransferParts& Transfer(const std::string& suffix, ReplicaSource& source) {
    static const TransferParts* const parts = new TransferParts(ReadTransfer(suffix, source));
    return *parts;
  }
  static TransferParts ReadTransfer(const std::string& suffix, ReplicaSource& source) {
    const std::string file = ::arg()["identity" + suffix + "-secondaries"];
    if (file.empty()) return {};
    auto keys = TransferKeys::Read(file);
    if (!keys) throw PDNSException("[identity] identity-secondaries: " + keys.error().Detail());
    return {*std::move(keys), std::make_unique<CatalogSource>(::arg()["identity" + suffix + "-replica"] + "/catalog",
                                                              [&source](const std::string& text) { source.ReportLine(text); })};
  }
};

/// Announces the backend when PowerDNS loads the module.
struct Announcement {
  Announcement() { Announce<IdentityFactory>(); }
} announcement;

}  // namespace
}  // namespace idzone::nameserver
