// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "services/core/identity/key_material.h"
#include "services/verifier/match.h"

/// Compares a key with TLSA records (and SMIMEA, which have their format: RFC 8162 §2), as a TLS server does that authenticates a client by
/// DANE. Pure: the records must already be known to be secure. Source: RFC 6698 §2.1, RFC 7671 §5.1 (DANE-EE) and §9 (digest agility).
/// Limits: usage 3 only. Usage 2 needs the peer's whole chain, usages 0 and 1 the Web PKI: such records are counted as
/// unusable and the finding says so.
namespace idzone::verifier {

/// Returns whether `key` matches one of the records, each one TLSA RDATA. A record that is malformed, of an unknown
/// number or weaker than another of its usage and selector is left out.
Match MatchTlsa(const std::vector<Octets>& rdatas, const identity::KeyMaterial& key);

/// Returns "3 1 1 d2ab…", or the octets in hex when they are no TLSA RDATA.
std::string FormatTlsa(OctetsView rdata);

}  // namespace idzone::verifier
