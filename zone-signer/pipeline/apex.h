// SPDX-License-Identifier: MIT
#pragma once

#include "services/core/zone/policy.h"
#include "zone-signer/pipeline/version_draft.h"

/// The apex: what SOA, NS, DNSKEY and (with NSEC3) NSEC3PARAM ought to say, and when they are signed again. The SOA changes with
/// every version; the others have a timer of their own.
namespace idzone::signer::pipeline {

/// Says whether a type is the zone's own at the apex. Others there are records of identities: of a service, or of the CA of users.
bool IsApexType(dns::RrType type);

/// Returns the apex RRsets, unsigned, ascending by type.
/// The primary is the first name server; the mailbox is hostmaster.<zone>.
std::vector<dns::RrSet> DesiredApex(const dns::Name& zone, const store::NamespaceRow& registered, const zone::ZonePolicy& policy,
                                    const Octets& dnskey, dns::Serial serial);

/// Returns what the parent of one of the namespace's zones says at the cut: NS, which is not signed (RFC 4035 §2.2), and DS.
std::vector<dns::RrSet> DesiredDelegation(const dns::Name& zone, const store::NamespaceRow& registered, const zone::ZonePolicy& policy,
                                          const Octets& dnskey);

/// Makes the apex say what it ought to, apart from the SOA: RRsets with other data, without a signature or with one
/// older than policy.apex.resign will be signed. Returns when the next one is due.
Result<UnixTime> RefreshApex(DraftNode& apex, const std::vector<dns::RrSet>& desired, const zone::ZonePolicy& policy, UnixTime now);

}  // namespace idzone::signer::pipeline
