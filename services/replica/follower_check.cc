// SPDX-License-Identifier: MIT
#include "services/replica/follower_check.h"

#include <algorithm>
#include <future>
#include <random>
#include <thread>

#include "services/core/dns/denial.h"
#include "services/core/dns/dnskey.h"
#include "services/core/zone/denial_signatures.h"

namespace idzone::replica {
namespace {

using dns::RrType;

/// Share of the nodes that `sample` verifies.
constexpr unsigned kSampleEvery = 16;
/// Verification is spread over processors in pieces that outweigh a thread's start.
constexpr std::size_t kNodesPerPiece = 64;

struct SoaFields {
  dns::Serial serial = 0;
  dns::Ttl minimum = 0;
};

/// RFC 1035 §3.3.13: two names, then SERIAL REFRESH RETRY EXPIRE MINIMUM.
Result<SoaFields> ParseSoa(const Octets& rdata) {
  OctetsView rest = rdata;
  for (const char* field : {"SOA MNAME", "SOA RNAME"}) {
    if (auto name = dns::Name::TakeFromWire(rest, field); !name) return tl::unexpected(name.error());
  }
  OctetReader reader(rest);
  SoaFields fields;
  fields.serial = reader.U32();
  reader.Raw(12);
  fields.minimum = reader.U32();
  if (!reader.ok() || !reader.at_end()) return Fail(Reason::kEncodingMalformed, "SOA", "five numbers after two names", "others");
  return fields;
}

std::vector<RrType> TypesOf(const std::vector<dns::RrSet>& rrsets) {
  std::vector<RrType> types;
  for (const dns::RrSet& rrset : rrsets) types.push_back(rrset.type);
  return types;
}

const dns::RrSet* FindRrSet(const std::vector<dns::RrSet>& rrsets, RrType type) {
  const auto found = std::find_if(rrsets.begin(), rrsets.end(), [&](const dns::RrSet& rrset) { return rrset.type == type; });
  return found == rrsets.end() ? nullptr : &*found;
}

/// One node as it will be: what is checked of it.
struct Judged {
  const zone::NodeChange* change = nullptr;
  std::optional<zone::Node> held;
};

dns::DenialKey ApexKey(const ZoneJudge& judge) {
  return dns::DenialKeyOf(judge.zone.denial, judge.zone.name, judge.zone.name);
}

/// RFC 4035 §2.2: the NS RRset of a delegation is not signed.
bool IsDelegationNs(const ZoneJudge& judge, const dns::Name& owner, RrType type) {
  return type == RrType::kNs && owner != judge.zone.name;
}

/// Checks the signatures of an RRset. One by a key that the apex shows must be there, and each of those must be right; while an
/// algorithm is replaced there are others, by keys that come or went (RFC 6781 §4.1.4), which nobody believes.
Result<void> CheckSignatures(const ZoneJudge& judge, const dns::Name& owner, const dns::RrSet& rrset) {
  std::size_t verified = 0;
  for (const Octets& rrsig : rrset.rrsigs) {
    const auto fields = dns::ParseRrsig(rrsig);
    if (!fields) return tl::unexpected(fields.error());
    const std::pair signer(fields->algorithm, fields->key_tag);
    if (std::find(judge.shown.begin(), judge.shown.end(), signer) == judge.shown.end()) continue;
    if (auto checked = judge.keys.Check(owner, rrset.type, rrset.ttl, rrset.rdatas, rrsig, judge.now); !checked) return checked;
    ++verified;
  }
  if (verified > 0) return {};
  return Fail(Reason::kSignatureInvalid, dns::RrTypeName(rrset.type) + " of " + owner.Format(), "a signature by a published key", "none");
}

Result<void> CheckData(const ZoneJudge& judge, const zone::NodeChange::Data& data, const std::optional<zone::Node>& held) {
  for (const dns::RrSet& rrset : data.rrsets) {
    if (IsDelegationNs(judge, data.owner, rrset.type)) {
      if (!rrset.rrsigs.empty())
        return Fail(Reason::kSignatureInvalid, "NS of " + data.owner.Format(), "no signature at a delegation", "one");
      continue;
    }
    const dns::RrSet* before = held ? held->Find(rrset.type) : nullptr;
    if (before != nullptr && *before == rrset) continue;
    if (auto checked = CheckSignatures(judge, data.owner, rrset); !checked) return checked;
  }
  return {};
}

/// The denial record is rebuilt as the name server will rebuild it; its signature must fit that.
Result<void> CheckDenial(const ZoneJudge& judge, const Judged& judged) {
  const zone::NodeChange& change = *judged.change;
  const std::vector<RrType> types = change.data ? TypesOf(change.data->rrsets) : TypesOf(judged.held->rrsets);
  // Data that is signed again leaves the types as they were, and so the denial.
  if (!change.denial && types == TypesOf(judged.held->rrsets)) return {};
  const zone::Denial& denial = change.denial ? *change.denial : judged.held->denial;
  const auto record = dns::MakeDenialRecord(judge.zone.denial, judge.zone.name, change.key, denial.next, types);
  if (!record) return tl::unexpected(record.error());
  return CheckSignatures(
      judge, record->owner,
      {.type = record->type, .ttl = judge.negative_ttl, .rdatas = {record->rdata}, .rrsigs = zone::DecodeDenialSignatures(denial.rrsig)});
}

Result<void> CheckOne(const ZoneJudge& judge, const Judged& judged) {
  const zone::NodeChange& change = *judged.change;
  if (change.data) {
    if (auto checked = CheckData(judge, *change.data, judged.held); !checked) return checked;
  }
  return CheckDenial(judge, judged);
}

Result<void> CheckPiece(const ZoneJudge& judge, const Judged* begin, const Judged* end) {
  for (const Judged* judged = begin; judged != end; ++judged) {
    if (auto checked = CheckOne(judge, *judged); !checked) return checked;
  }
  return {};
}

/// Verifies on all processors; returns the first refusal.
Result<void> CheckAll(const ZoneJudge& judge, const std::vector<Judged>& nodes) {
  const std::size_t pieces = std::clamp<std::size_t>(nodes.size() / kNodesPerPiece, 1, std::max(1u, std::thread::hardware_concurrency()));
  const auto bound = [&](std::size_t piece) { return nodes.data() + nodes.size() * piece / pieces; };
  std::vector<std::future<Result<void>>> others;
  for (std::size_t piece = 1; piece < pieces; ++piece)
    others.push_back(std::async(std::launch::async, [&, piece] { return CheckPiece(judge, bound(piece), bound(piece + 1)); }));
  Result<void> outcome = CheckPiece(judge, bound(0), bound(1));
  for (auto& other : others) {
    Result<void> checked = other.get();
    if (outcome && !checked) outcome = std::move(checked);
  }
  return outcome;
}

/// Says whether a node is among those that are verified. The choice cannot be foreseen by who feeds us.
bool IsChosen(VerifyMode mode, bool always) {
  if (mode == VerifyMode::kAll || always) return mode != VerifyMode::kNone;
  static thread_local std::minstd_rand random{std::random_device{}()};
  return mode == VerifyMode::kSample && random() % kSampleEvery == 0;
}

/// Says whether an apex changes as it does in every version: a new SOA, and all else as it is held.
bool OnlySoaIsNew(const zone::NodeChange& apex, const std::optional<zone::Node>& held) {
  if (!apex.data || apex.denial || !held || apex.data->rrsets.size() != held->rrsets.size()) return false;
  return std::equal(apex.data->rrsets.begin(), apex.data->rrsets.end(), held->rrsets.begin(),
                    [](const dns::RrSet& now, const dns::RrSet& before) {
                      return now == before || (now.type == RrType::kSoa && before.type == RrType::kSoa);
                    });
}

tl::unexpected<Error> NotWhole(const ZoneJudge& judge, const dns::DenialKey& key, const char* met) {
  return Fail(Reason::kVersionGap, "node " + HexEncode(key) + " of " + judge.zone.name.Format(),
              "a whole node, or a change of one that is held", met);
}

}  // namespace

Result<VerifyMode> ParseVerifyMode(std::string_view text) {
  if (text == "all") return VerifyMode::kAll;
  if (text == "sample") return VerifyMode::kSample;
  if (text == "none") return VerifyMode::kNone;
  return Fail(Reason::kEnumUnknown, "replica.verify", "all, sample or none", std::string(text));
}

Result<std::vector<zone::NodeChange>> CheckChain(const FedZone& zone, const zone::ZonePosition& own, const FedVersion& version) {
  const std::string subject = "version " + std::to_string(version.position.serial) + " of " + zone.name.Format();
  const auto place = [](zone::Epoch epoch, dns::Serial serial) {
    return "epoch " + std::to_string(epoch) + " serial " + std::to_string(serial);
  };
  const bool follows =
      version.position.epoch == own.epoch && version.previous_serial == own.serial && dns::SerialLess(own.serial, version.position.serial);
  if (!follows)
    return Fail(Reason::kVersionGap, subject, "one that follows " + place(own.epoch, own.serial),
                "one that follows " + place(version.position.epoch, version.previous_serial));
  if (own.digest.empty() || version.previous_digest != own.digest)
    return Fail(Reason::kDigestMismatch, subject, "previous digest " + HexEncode(own.digest), HexEncode(version.previous_digest));
  const Octets digest = zone::VersionDigest(own.digest, version.position.epoch, version.position.serial, version.delta);
  if (digest != version.position.digest)
    return Fail(Reason::kDigestMismatch, subject, "octets with digest " + HexEncode(version.position.digest), HexEncode(digest));
  return zone::DecodeDelta(version.delta, zone.name, zone.denial);
}

Result<ZoneJudge> CheckApex(const FedZone& zone, const std::vector<dns::RrSet>& apex, dns::Serial serial, const std::vector<Octets>& pins,
                            VerifyMode mode, UnixTime now, KeyMemory& memory) {
  const dns::RrSet* soa = FindRrSet(apex, RrType::kSoa);
  const dns::RrSet* dnskeys = FindRrSet(apex, RrType::kDnskey);
  if (soa == nullptr || soa->rdatas.size() != 1 || dnskeys == nullptr)
    return Fail(Reason::kEncodingMalformed, "apex of " + zone.name.Format(), "one SOA record and DNSKEY records", "others");
  // RFC 5155 §4: NSEC3PARAM says that the zone denies by NSEC3; a zone without it denies by NSEC.
  if ((FindRrSet(apex, RrType::kNsec3Param) != nullptr) != (zone.denial == dns::DenialKind::kNsec3))
    return Fail(Reason::kEncodingMalformed, "apex of " + zone.name.Format(), "NSEC3PARAM in an NSEC3 zone and in no other", "otherwise");
  const auto fields = ParseSoa(soa->rdatas.front());
  if (!fields) return tl::unexpected(fields.error());
  if (fields->serial != serial)
    return Fail(Reason::kVersionGap, "SOA of " + zone.name.Format(), "serial " + std::to_string(serial), std::to_string(fields->serial));
  auto keys = mode == VerifyMode::kNone ? memory.Decode(zone.name, dnskeys->rdatas) : memory.Verify(zone.name, *dnskeys, pins, now);
  if (!keys) return tl::unexpected(keys.error());
  std::vector<std::pair<std::uint8_t, std::uint16_t>> shown;
  for (const Octets& dnskey : dnskeys->rdatas) {
    if (dnskey.size() > 4) shown.emplace_back(static_cast<std::uint8_t>(dnskey[3]), dns::KeyTag(dnskey));
  }
  return ZoneJudge{zone, *std::move(keys), std::move(shown), std::min(soa->ttl, fields->minimum), mode, now};
}

Result<void> CheckSameNegativeTtl(const ZoneJudge& judge, const NodeReader& read) {
  const dns::DenialKey apex_key = ApexKey(judge);
  const auto held = read(apex_key);
  if (!held) return tl::unexpected(held.error());
  const dns::RrSet* soa = *held ? (*held)->Find(RrType::kSoa) : nullptr;
  if (soa == nullptr || soa->rdatas.empty()) return NotWhole(judge, apex_key, "an apex without SOA");
  const auto fields = ParseSoa(soa->rdatas.front());
  if (!fields) return tl::unexpected(fields.error());
  const dns::Ttl before = std::min(soa->ttl, fields->minimum);
  if (before == judge.negative_ttl) return {};
  return Fail(Reason::kVersionGap, "SOA of " + judge.zone.name.Format(), "negative TTL " + std::to_string(before),
              std::to_string(judge.negative_ttl));
}

Result<void> CheckChanges(const ZoneJudge& judge, const std::vector<zone::NodeChange>& changes, const NodeReader& read) {
  const dns::DenialKey apex_key = ApexKey(judge);
  std::vector<Judged> chosen;
  for (const zone::NodeChange& change : changes) {
    const bool is_apex = change.key == apex_key;
    if (change.removed) {
      if (is_apex) return NotWhole(judge, change.key, "the removal of the apex");
      continue;
    }
    const bool chosen_anyway = IsChosen(judge.mode, is_apex && !judge.samples_soa);
    if (!chosen_anyway && (!is_apex || judge.mode == VerifyMode::kNone)) continue;
    auto held = read(change.key);
    if (!held) return tl::unexpected(held.error());
    if (!chosen_anyway && OnlySoaIsNew(change, *held)) continue;
    if (!*held && !(change.data && change.denial)) return NotWhole(judge, change.key, "a part of one that is not");
    chosen.push_back({&change, std::move(*held)});
  }
  return CheckAll(judge, chosen);
}

Result<void> CheckNodes(const ZoneJudge& judge, const std::vector<zone::NodeChange>& nodes) {
  const dns::DenialKey apex_key = ApexKey(judge);
  std::vector<Judged> chosen;
  for (const zone::NodeChange& node : nodes) {
    if (node.removed || !node.data || !node.denial) return NotWhole(judge, node.key, "a part of one");
    if (IsChosen(judge.mode, node.key == apex_key)) chosen.push_back({&node, std::nullopt});
  }
  return CheckAll(judge, chosen);
}

}  // namespace idzone::replica
