// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <optional>
#include <vector>

#include "services/nameserver/memo.h"
#include "services/nameserver/record.h"
#include "services/nameserver/served.h"
#include "services/nameserver/served_zone.h"

/// What the replica says to PowerDNS's questions. PowerDNS takes answers together itself, from several look-ups, and
/// rebuilds the denial records of pre-signed zones.
///
/// Errors: ENCODING_MALFORMED when the replica is damaged, or holds what nothing may answer; SIGNATURE_INVALID when what is
/// there has expired.
namespace idzone::nameserver {

struct Question {
  std::uint16_t type = kAnyType;
  OctetsView name;  // wire form, lower case
  /// PowerDNS asks for itself, not on behalf of a client's literal question. Only it may see what lies at the owner of
  /// an NSEC3 record: to clients such a name does not exist (RFC 5155 §7.2.8).
  bool internal = false;
};

/// A place in the denial chain: the NSEC or NSEC3 record that matches or covers. Views are valid until the next question.
struct DenialPlace {
  OctetsView owner;  // wire form: the name whose record it is
  OctetsView key;    // that name's key; in an NSEC3 zone its hash
  OctetsView next;   // what follows: a hash, or the wire form of a name
};

/// One backend instance's answers. Most questions of a query are answered from the memo; each name is looked for once.
/// Requires, for all that take one: a held snapshot of the moment that SetMoment was told. Threads: one.
class Answerer {
 public:
  /// `served`, if any, must outlive it.
  explicit Answerer(MakeContent make, Served* served = nullptr) : make_(std::move(make)), served_(served) {}

  /// The snapshot shows another moment than at the last question, or the same (Session::Use::moment).
  void SetMoment(std::uint64_t moment) { memo_.SetMoment(moment); }
  /// The questions that follow belong to another query, which came at `now`.
  void OpenQuery(RrsigTime now) {
    memo_.Open();
    now_ = now;
    target_ = Target::kUnknown;
  }

  /// Returns the zone of that number; null: none. Valid until the next call of SetMoment or OpenQuery.
  Result<const ServedZone*> FindZone(replica::Snapshot& snapshot, replica::ZoneNumber number);

  /// Appends the records of a name; none when the name or the type does not exist. ANY leaves out RRSIGs, because
  /// PowerDNS asks for them by name; an empty non-terminal answers ANY with one record of kEmptyType. Wildcards are names
  /// like any other. PowerDNS asks for ANY itself to learn which types a denial record has to list: each comes once, without
  /// content.
  Result<void> FindRecords(replica::Snapshot& snapshot, const ServedZone& zone, const Question& question,
                           std::vector<AnswerRecord>& records);

  /// Returns the place of a name in an NSEC zone; nothing when the zone holds no node or the name lies outside.
  Result<std::optional<DenialPlace>> FindNsec(replica::Snapshot& snapshot, const ServedZone& zone, OctetsView name);
  /// Returns the place of a hash in an NSEC3 zone; nothing when the zone holds no node.
  Result<std::optional<DenialPlace>> FindNsec3(replica::Snapshot& snapshot, const ServedZone& zone, OctetsView hash);

 private:
  Result<Known*> LookFor(replica::Snapshot& snapshot, const ServedZone& zone, const Question& question);
  Result<dns::Ttl> NegativeTtlOf(replica::Snapshot& snapshot, const ServedZone& zone);
  /// Appends the RRSIG of the NSEC3 record with that hash, if there is one.
  Result<void> AppendNsec3Signature(replica::Snapshot& snapshot, const ServedZone& zone, OctetsView hash,
                                    std::vector<AnswerRecord>& records);
  const std::vector<AnswerRecord>& DataOf(const ServedZone& zone, Known& known);
  void AppendTypes(const ServedZone& zone, const Known& known, std::vector<AnswerRecord>& records);
  void CountForbidden(const replica::NodeView& node);
  bool IsSoaAlone(const ServedZone& zone, const Question& question) const;
  Result<const std::vector<AnswerRecord>*> SignaturesOf(replica::Snapshot& snapshot, const ServedZone& zone, Known& known);

  /// What the query is about: the first name that is asked for a client.
  enum class Target { kUnknown, kApex, kOther };

  const MakeContent make_;
  Served* const served_;
  Memo memo_;
  RrsigTime now_ = 0;
  Target target_ = Target::kUnknown;
};

/// Returns the hash that the first label of `owner` (wire form) spells in base32hex, if it is a name right below the
/// apex that can be the owner of an NSEC3 record (RFC 5155 §3).
std::optional<dns::DenialKey> HashOfNsec3Owner(const dns::Name& apex, OctetsView owner);
/// Returns the 20 octets that 32 base32hex digits of either case spell.
std::optional<dns::DenialKey> DecodeHash(OctetsView label);

}  // namespace idzone::nameserver
