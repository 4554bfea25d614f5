// SPDX-License-Identifier: MIT
#pragma once

#include "zone-signer/rollover/roll_state.h"

/// When the next phase may begin: the equations of RFC 7583, by its names. Pure.
namespace idzone::signer::rollover {

/// The delays that are not observed. RFC 7583 §2: "propagation delay".
struct Delays {
  std::chrono::seconds dprp{0};    // zone propagation: from a version at all that are seen to foreign secondaries that are not
  std::chrono::seconds dprp_p{0};  // the parent's propagation: from a changed DS at one of its servers to all
};

/// RFC 7583 §3.2.1 (equation 2), §3.3.1: Ipub = Dprp + TTLkey. A new key may be relied upon once every cache that holds the
/// old DNSKEY RRset has dropped it.
std::chrono::seconds PublicationInterval(const Delays& delays, const LongestTtls& ttls);

/// RFC 7583 §3.2.1 (equation 4): Iret = Dsgn + Dprp + TTLsig, without Dsgn, which is observed. An old key must stay until no
/// cache holds a signature that it made.
std::chrono::seconds SignatureRetireInterval(const Delays& delays, const LongestTtls& ttls);

/// RFC 7583 §3.3.1: Iret = DprpP + TTLds, without Dreg, which is observed; §3.3.2: IpubP = DprpP + TTLds is the same sum.
/// A key must stay until no cache holds a DS RRset that names it alone.
std::chrono::seconds DsInterval(const Delays& delays, const LongestTtls& ttls);

/// What a roll waits for.
enum class Wait : std::uint8_t {
  kNothing = 0,  // no roll, or ready to go on
  kKeys = 1,     // new keys have to be made
  kZones = 2,    // zones have to publish, or edges to take, what changed
  kSigning = 3,  // data has to be signed again
  kParent = 4,   // the parent has to change its DS records
  kCaches = 5,   // caches have to forget: until `until`
};

struct Waiting {
  Wait what = Wait::kNothing;
  std::optional<UnixTime> until;  // with kCaches

  friend bool operator==(const Waiting&, const Waiting&) = default;
};

/// Returns what the phase waits for; kNothing when it is over.
Waiting WaitingFor(const RollState& state, const Delays& delays, UnixTime now);

/// Says whether the phase waits for the external parent.
bool AwaitsParent(const RollState& state);

}  // namespace idzone::signer::rollover
