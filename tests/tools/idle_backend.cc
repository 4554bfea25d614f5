// SPDX-License-Identifier: GPL-2.0-only
// A PowerDNS module with nothing to do: it tells from two letters whether a name is there, and hands out records that were made once. What
// an answer costs with it is what PowerDNS and the kernel take, and no backend can be faster: the ceiling, as a peer of `tests/bench/run
// serve`.
#include <ctime>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pdns/arguments.hh"
#include "pdns/dnsrecords.hh"

#include "services/core/base/octets.h"
#include "services/nameserver/pdns_api.h"
#include "services/nameserver/pdns_content.h"

namespace {

using idzone::Octets;
using idzone::nameserver::PdnsZoneId;
using idzone::nameserver::PdnsZoneName;
using idzone::nameserver::PdnsZoneNumber;
using Content = std::shared_ptr<DNSRecordContent>;

constexpr std::uint32_t kTtl = 300;
constexpr std::size_t kHashOctets = 33;  // a label of 32 letters, base32hex of SHA-1
constexpr PdnsZoneNumber kZone = 1;

struct Made {
  std::uint16_t type;
  Content content;
};
using Records = std::vector<Made>;

/// The records that there are, of which all names have the same.
class Zone {
 public:
  explicit Zone(DNSName apex) : apex_(std::move(apex)) {
    const auto text = [](std::uint16_t type, const std::string& rdata) {
      return Made{type, DNSRecordContent::mastermake(type, QClass::IN, rdata)};
    };
    const Made soa = text(QType::SOA, "ns1.example.net. hostmaster.example.net. 1 3600 600 604800 300");
    const Made tlsa{QType::TLSA, idzone::nameserver::MakePdnsContent(QType::TLSA, std::string("\3\1\1", 3) + std::string(32, 'x'))};
    soa_ = {soa};
    apex_records_ = {soa, text(QType::NS, "ns1.example.net."), text(QType::NS, "ns2.example.net.")};
    apex_signatures_ = {Signature(QType::SOA), Signature(QType::NS)};
    name_ = {tlsa};
    name_signatures_ = {Signature(QType::TLSA)};
    denial_signatures_ = {Signature(QType::NSEC3)};
  }

  const DNSName& apex() const { return apex_; }

  const Records& Find(const QType& type, const DNSName& name) const {
    static const Records kNone;
    const auto& wire = name.getStorage();
    const bool signatures = type.getCode() == QType::RRSIG;
    if (wire.size() <= apex_.getStorage().size()) {
      switch (type.getCode()) {
        case QType::RRSIG: return apex_signatures_;
        case QType::SOA: return soa_;
        case QType::ANY: return apex_records_;
        default: return kNone;
      }
    }
    if (static_cast<std::size_t>(wire[0]) + 1 == kHashOctets) return signatures ? denial_signatures_ : kNone;
    // tests/bench/factory.py: the names that are there are called sn and a number, absent ones something else.
    if (wire[0] < 2 || wire[1] != 's' || wire[2] != 'n') return kNone;
    return signatures ? name_signatures_ : name_;
  }

 private:
  Made Signature(std::uint16_t covered) const {
    Octets rdata;
    idzone::OctetWriter writer(rdata);
    const auto now = static_cast<std::uint32_t>(::time(nullptr));
    writer.U16(covered);
    writer.U8(13);  // algorithm
    writer.U8(4);   // labels
    for (const std::uint32_t number : {kTtl, now + 86400, now - 3600}) writer.U32(number);
    writer.U16(4711);  // key tag
    writer.Raw(apex_.toDNSString());
    writer.Raw(Octets(64, 'y'));
    return {QType::RRSIG, idzone::nameserver::MakePdnsContent(QType::RRSIG, rdata)};
  }

  DNSName apex_;
  Records soa_, apex_records_, apex_signatures_, name_, name_signatures_, denial_signatures_;
};

class IdleBackend : public DNSBackend {
 public:
  IdleBackend(const std::string& suffix, const Zone& zone)
      : zone_(zone), after_("vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"), denied_(DNSName("sn0000000001") + zone.apex()) {
    setArgPrefix("idle" + suffix);
  }

  void lookup(const QType& type, const DNSName& name, PdnsZoneNumber /*zone*/, DNSPacket* /*packet*/) override {
    records_ = &zone_.Find(type, name);
    next_ = 0;
    owner_ = name;
  }

  bool get(DNSZoneRecord& record) override {
    if (next_ == records_->size()) return false;
    const Made& next = (*records_)[next_++];
    record.domain_id = kZone;
    record.auth = true;
    record.scopeMask = 0;
    record.signttl = 0;
    record.wildcardname.clear();
    record.dr.d_name = owner_;
    record.dr.d_type = next.type;
    record.dr.d_class = QClass::IN;
    record.dr.d_ttl = kTtl;
    record.dr.d_clen = 0;
    record.dr.d_place = DNSResourceRecord::ANSWER;
    idzone::nameserver::SetContent(record.dr, next.content);
    return true;
  }

  bool get(DNSResourceRecord& record) override {
    DNSZoneRecord made;
    if (!get(made)) return false;
    record = DNSResourceRecord::fromWire(made.dr);
    record.auth = true;
    record.domain_id = kZone;
    return true;
  }

  bool list(const PdnsZoneName& /*target*/, PdnsZoneNumber /*zone*/, bool /*include_disabled*/) override { return false; }

  bool getDomainInfo(const PdnsZoneName& name, DomainInfo& info, bool /*with_serial*/) override {
    if (idzone::nameserver::NameOf(name) != zone_.apex()) return false;
    info = Info();
    return true;
  }
  void getAllDomains(std::vector<DomainInfo>* domains, bool /*with_serial*/, bool /*include_disabled*/) override {
    domains->push_back(Info());
  }

  bool getAllDomainMetadata(const PdnsZoneName& /*name*/, std::map<std::string, std::vector<std::string>>& metadata) override {
    metadata = {{"PRESIGNED", {"1"}}, {"NSEC3PARAM", {"1 0 0 -"}}};
    return true;
  }
  bool getBeforeAndAfterNamesAbsolute(PdnsZoneId /*zone*/, const DNSName& hashed, DNSName& unhashed, DNSName& before,
                                      DNSName& after) override {
    // Filled: PowerDNS knows the matching name already. Else another record denies each hash, as in a large zone.
    if (before.empty()) {
      std::string label = hashed.getRawLabel(0);
      label.back() = label.back() == '0' ? '1' : '0';
      before = DNSName();
      before.appendRawLabel(label);
      unhashed = denied_;
    }
    after = after_;
    return true;
  }
  IDZONE_PDNS_DOES_DNSSEC

 private:
  DomainInfo Info() {
    DomainInfo info;
    info.zone = PdnsZoneName(zone_.apex());
    info.id = kZone;
    info.serial = 1;
    info.kind = DomainInfo::Native;
    info.backend = this;
    return info;
  }

  const Zone& zone_;
  const DNSName after_, denied_;
  const Records* records_ = nullptr;
  std::size_t next_ = 0;
  DNSName owner_;
};

class IdleFactory : public BackendFactory {
 public:
  IdleFactory() : BackendFactory("idle") {}
  void declareArguments(const std::string& suffix) override { declare(suffix, "zone", "The zone that there is", ""); }
  DNSBackend* make(const std::string& suffix) override {
    static const Zone* const zone =
        new Zone(DNSName(::arg()["idle" + suffix + "-zone"]));  // never deleted: threads use it until the very end
    return new IdleBackend(suffix, *zone);
  }
};

struct Announcement {
  Announcement() { idzone::nameserver::Announce<IdleFactory>(); }
} announcement;

}  // namespace
