// SPDX-License-Identifier: MIT
#pragma once

#include "services/core/zone/policy.h"
#include "zone-signer/keys/zone_keys.h"
#include "zone-signer/pipeline/version_draft.h"

/// The apex: what SOA, NS, DNSKEY and (with NSEC3) NSEC3PARAM ought to say, and when they are signed again. The SOA changes with
/// every version; the others have a timer of their own. CDS and CDNSKEY are there while the external parent has to change.
namespace idzone::signer::pipeline {

/// Says whether a type is the zone's own at the apex. Others there are records of identities: of a service, or of the CA of users.
bool IsApexType(dns::RrType type);

/// Returns the apex RRsets, unsigned, ascending by type.
/// The primary is the first name server; the mailbox is hostmaster.<zone>. `tell_parent`: with CDS and CDNSKEY (RFC 7344 §4).
std::vector<dns::RrSet> DesiredApex(const dns::Name& zone, const store::NamespaceRow& registered, const zone::ZonePolicy& policy,
                                    const keys::ZoneKeys& keys, bool tell_parent, dns::Serial serial);

/// Returns what the parent of one of the namespace's zones says at the cut: NS, which is not signed (RFC 4035 §2.2), and DS.
std::vector<dns::RrSet> DesiredDelegation(const dns::Name& zone, const store::NamespaceRow& registered, const zone::ZonePolicy& policy,
                                          const keys::ZoneKeys& keys);

/// Makes the apex say what it ought to, apart from the SOA: RRsets with other data, with signatures by other keys than they
/// should have or with one older than policy.apex.resign will be signed. Returns when the next one is due.
Result<UnixTime> RefreshApex(DraftNode& apex, const std::vector<dns::RrSet>& desired, const keys::ZoneKeys& keys,
                             const zone::ZonePolicy& policy, UnixTime now);

}  // namespace idzone::signer::pipeline
