// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <map>

#include "services/core/base/clock.h"
#include "services/core/dns/denial.h"
#include "services/core/dns/dnskey.h"
#include "services/core/zone/node.h"
#include "services/core/zone/version.h"
#include "services/replica/follower_check.h"
#include "zone-signer/keys/signing_key.h"

namespace idzone::replica {

/// A small zone that signs itself with a key of its own: the valid one that each test spoils in one place.
class SignedZone {
 public:
  static constexpr dns::Ttl kNegativeTtl = 300;

  /// How the zone denies, and the algorithm of its key.
  struct Options {
    dns::DenialKind denial = dns::DenialKind::kNsec3;
    std::uint8_t algorithm = 13;
    const char* name = "_device.acme.example.";
  };

  SignedZone() : SignedZone(Options{}) {}
  explicit SignedZone(Options options)
      : denial_(options.denial),
        key_(signer::keys::SigningKey::Generate(options.algorithm).value()),
        name_(dns::Name::Parse(options.name).value()) {
    nodes_[KeyOf(name_)] = zone::Node{name_, {}, {}};
    Publish({});
  }

  dns::DenialKind denial() const { return denial_; }
  dns::DenialKey KeyOf(const dns::Name& owner) const { return dns::DenialKeyOf(denial_, owner, name_); }
  FedZone fed() const { return {name_, denial_}; }

  SignedZone(const SignedZone& other)
      : denial_(other.denial_),
        key_(other.key_),
        shown_(other.shown_),
        cds_(other.cds_),
        name_(other.name_),
        nodes_(other.nodes_),
        denied_(other.denied_),
        position_(other.position_),
        last_(other.last_) {}
  SignedZone& operator=(const SignedZone&) = delete;
  /// Returns a zone of the same key and past that goes on by itself.
  SignedZone Fork() const { return SignedZone(*this); }
  void SetEpoch(zone::Epoch epoch) { position_.epoch = epoch; }

  const dns::Name& name() const { return name_; }
  UnixTime now() const { return now_; }
  const Octets& dnskey() const { return key_.dnskey(); }
  Octets Ds() const { return dns::EncodeDs(name_, key_.dnskey()); }
  const zone::ZonePosition& position() const { return position_; }
  const FedVersion& last() const { return last_; }
  /// Returns every node as a whole, ascending by key.
  std::vector<zone::NodeChange> Whole() const {
    std::vector<zone::NodeChange> nodes;
    for (const auto& [key, node] : nodes_) nodes.push_back(Change(key, node));
    return nodes;
  }
  zone::NodeChange Apex() const { return Change(KeyOf(name_), nodes_.at(KeyOf(name_))); }
  NodeReader Reader() const {
    return [nodes = nodes_](const dns::DenialKey& key) -> Result<std::optional<zone::Node>> {
      const auto found = nodes.find(key);
      return found == nodes.end() ? std::nullopt : std::optional(found->second);
    };
  }

  /// Publishes one more version, which adds devices and a delegation to `child`, and returns it.
  const FedVersion& Publish(const std::vector<std::string>& devices, const SignedZone* child = nullptr) {
    const auto before = nodes_;
    if (child != nullptr) {
      const dns::Name& cut = child->name();
      nodes_[KeyOf(cut)] = zone::Node{cut,
                                      {{dns::RrType::kNs, 3600, {dns::Name::Parse("ns1.example.net.").value().wire()}, {}},
                                       Signed(cut, {dns::RrType::kDs, 3600, {child->Ds()}, {}})},
                                      {}};
    }
    for (const std::string& device : devices) {
      const dns::Name owner = name_.Prepend(device).value();
      nodes_[KeyOf(owner)] =
          zone::Node{owner, {Signed(owner, {dns::RrType::kTlsa, 300, {Octets("\x03\x01\x01", 3) + Sha256(device)}, {}})}, {}};
    }
    const dns::Serial serial = position_.serial + 1;
    SignApex(serial);
    SignChain();
    std::vector<zone::NodeChange> changes;
    for (const auto& [key, node] : nodes_) {
      const auto held = before.find(key);
      zone::NodeChange change = Change(key, node);
      if (held != before.end() && held->second.rrsets == node.rrsets) change.data.reset();
      if (held != before.end() && held->second.denial == node.denial) change.denial.reset();
      if (change.data || change.denial) changes.push_back(change);
    }
    return Journal(changes, serial);
  }

  /// From the next version on the apex shows those keys, and that one signs.
  void SetKeys(const signer::keys::SigningKey& signs, std::vector<Octets> dnskeys) {
    std::sort(dnskeys.begin(), dnskeys.end());
    key_ = signs;
    signer_ = signer::keys::Signer::Make(key_).value();
    shown_ = std::move(dnskeys);
  }
  /// From the next version on the apex says that the parent should publish those.
  void SetCds(std::vector<Octets> cds) {
    std::sort(cds.begin(), cds.end());
    cds_ = std::move(cds);
  }
  const signer::keys::SigningKey& key() const { return key_; }

  /// Puts changes into the journal as they are, with digests that fit them.
  const FedVersion& Journal(const std::vector<zone::NodeChange>& changes, dns::Serial serial) {
    last_ = {.position = {1, serial, {}},
             .previous_serial = position_.serial,
             .previous_digest = position_.digest,
             .delta = zone::EncodeDelta(changes)};
    last_.position.digest = zone::VersionDigest(position_.digest, 1, serial, last_.delta);
    position_ = last_.position;
    return last_;
  }

 private:
  static zone::NodeChange Change(const dns::DenialKey& key, const zone::Node& node) {
    return {.key = key, .removed = false, .data = zone::NodeChange::Data{node.owner, node.rrsets}, .denial = node.denial};
  }

  Octets Sign(const dns::Name& owner, dns::RrType type, dns::Ttl ttl, const std::vector<Octets>& rdatas) {
    dns::RrsigFields fields{.type_covered = type,
                            .algorithm = key_.algorithm(),
                            .labels = static_cast<std::uint8_t>(owner.rrsig_label_count()),
                            .original_ttl = ttl,
                            .expiration = ToRrsigTime(now_ + std::chrono::hours(1)),
                            .inception = ToRrsigTime(now_ - std::chrono::hours(1)),
                            .key_tag = key_.key_tag(),
                            .signer = name_.wire(),
                            .signature = {}};
    return dns::EncodeRrsigPrefix(fields) + signer_.Sign(dns::EncodeSignedData(fields, owner.wire(), type, rdatas)).value();
  }

  dns::RrSet Signed(const dns::Name& owner, dns::RrSet rrset) {
    rrset.rrsigs = {Sign(owner, rrset.type, rrset.ttl, rrset.rdatas)};
    return rrset;
  }

  void SignApex(dns::Serial serial) {
    Octets soa = dns::Name::Parse("ns1.example.net.").value().wire() + dns::Name::Parse("hostmaster.example.net.").value().wire();
    OctetWriter writer(soa);
    for (const std::uint32_t number : {serial, 3600u, 600u, 86400u, kNegativeTtl}) writer.U32(number);
    zone::Node& apex = nodes_.at(KeyOf(name_));
    const auto keep = [&](dns::RrSet rrset) {
      const dns::RrSet* held = apex.Find(rrset.type);
      return held != nullptr && held->rdatas == rrset.rdatas ? *held : Signed(name_, rrset);
    };
    apex.rrsets = {keep({dns::RrType::kNs, 3600, {dns::Name::Parse("ns1.example.net.").value().wire()}, {}}),
                   keep({dns::RrType::kSoa, kNegativeTtl, {soa}, {}}), keep({dns::RrType::kDnskey, 3600, shown_, {}}),
                   keep({dns::RrType::kNsec3Param, 0, {dns::EncodeNsec3Param()}, {}})};
    if (denial_ == dns::DenialKind::kNsec) apex.rrsets.pop_back();
    if (!cds_.empty()) apex.rrsets.push_back(keep({dns::RrType::kCds, 3600, cds_, {}}));
  }

  void SignChain() {
    for (auto node = nodes_.begin(); node != nodes_.end(); ++node) {
      const auto after = std::next(node) == nodes_.end() ? nodes_.begin() : std::next(node);
      const Octets next = dns::DenialNextOf(denial_, after->first, name_);
      const auto record = dns::MakeDenialRecord(denial_, name_, node->first, next, node->second.Types()).value();
      if (node->second.denial.next == next && denied_[node->first] == record.rdata) continue;
      denied_[node->first] = record.rdata;
      node->second.denial = {next, Sign(record.owner, record.type, kNegativeTtl, {record.rdata})};
    }
  }

  const UnixTime now_{std::chrono::seconds(1'790'000'000)};
  const dns::DenialKind denial_;
  signer::keys::SigningKey key_;
  std::vector<Octets> shown_{key_.dnskey()};
  std::vector<Octets> cds_;
  signer::keys::Signer signer_ = signer::keys::Signer::Make(key_).value();
  const dns::Name name_;
  std::map<dns::DenialKey, zone::Node> nodes_;
  std::map<dns::DenialKey, Octets> denied_;  // the denial records that are signed
  zone::ZonePosition position_{1, 0, Octets(32, '\0')};
  FedVersion last_;
};

}  // namespace idzone::replica
