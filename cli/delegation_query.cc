// SPDX-License-Identifier: MIT
#include "cli/delegation_query.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <optional>
#include <sstream>
#include <vector>

#include "services/core/base/octets.h"

namespace idzone::cli {
namespace {

constexpr int kTypeDs = 43;
constexpr std::size_t kMessageOctetsMax = 65535;
constexpr int kTimeoutSeconds = 3;
constexpr int kTries = 2;

// The C library has a function of that name, too.
using ResolverState = struct __res_state;

struct CloseResolver {
  void operator()(ResolverState* state) const {
    res_nclose(state);
    delete state;
  }
};
using Resolver = std::unique_ptr<ResolverState, CloseResolver>;

tl::unexpected<Error> BadServer(const std::string& server) {
  return Fail(Reason::kValueMalformed, "server", "an address, with @PORT unless it is 53", server);
}

/// The C library's resolver, pointed at one server. It keeps an IPv6 address behind a pointer, which res_nclose frees.
Result<Resolver> MakeResolver(const std::string& server) {
  const std::size_t at = server.find('@');
  const std::string address = server.substr(0, at);
  std::uint16_t port = 53;
  if (at != std::string::npos) {
    const auto [end, code] = std::from_chars(server.data() + at + 1, server.data() + server.size(), port);
    if (code != std::errc() || end != server.data() + server.size() || port == 0) return BadServer(server);
  }
  Resolver state(new ResolverState());
  if (res_ninit(state.get()) != 0) return Fail(Reason::kInternal, "resolver", "the C library's resolver", "a failure");
  state->retrans = kTimeoutSeconds;
  state->retry = kTries;
  state->options |= RES_USE_EDNS0 | RES_USE_DNSSEC;
  state->nscount = 1;
  in_addr v4;
  in6_addr v6;
  if (inet_pton(AF_INET, address.c_str(), &v4) == 1) {
    state->nsaddr_list[0].sin_family = AF_INET;
    state->nsaddr_list[0].sin_addr = v4;
    state->nsaddr_list[0].sin_port = htons(port);
  } else if (inet_pton(AF_INET6, address.c_str(), &v6) == 1) {
    auto* place = static_cast<sockaddr_in6*>(std::calloc(1, sizeof(sockaddr_in6)));
    if (place == nullptr) return Fail(Reason::kInternal, "resolver", "memory", "none");
    place->sin6_family = AF_INET6;
    place->sin6_addr = v6;
    place->sin6_port = htons(port);
    state->nsaddr_list[0].sin_family = 0;
    state->_u._ext.nsaddrs[0] = place;
    state->_u._ext.nscount = 1;
  } else {
    return BadServer(server);
  }
  return state;
}

std::string LowerCase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// Returns the record as text when it is one of that type at the zone's name.
std::optional<std::string> TextOf(const ns_msg& message, const ns_rr& record, const dns::Name& zone, int type) {
  const auto owner = dns::Name::Parse(ns_rr_name(record));
  if (static_cast<int>(ns_rr_type(record)) != type || !owner || *owner != zone) return std::nullopt;
  if (type == ns_t_ns) {
    char target[NS_MAXDNAME];
    if (dn_expand(ns_msg_base(message), ns_msg_end(message), ns_rr_rdata(record), target, sizeof target) < 0) return std::nullopt;
    const auto name = dns::Name::Parse(target);
    return name ? std::optional(name->Format()) : std::nullopt;
  }
  OctetReader reader(OctetsView(reinterpret_cast<const char*>(ns_rr_rdata(record)), ns_rr_rdlen(record)));
  const unsigned tag = reader.U16();
  const unsigned algorithm = reader.U8();
  const unsigned digest_type = reader.U8();
  const OctetsView digest = reader.Raw(reader.remaining());
  if (!reader.ok()) return std::nullopt;
  return std::to_string(tag) + " " + std::to_string(algorithm) + " " + std::to_string(digest_type) + " " + HexEncode(digest);
}

/// NS records of a delegation stand in the answer of a resolver, and in the authority section of the parent's own servers.
Result<std::set<std::string>> Ask(ResolverState* state, const dns::Name& zone, int type, const std::string& server) {
  std::vector<unsigned char> octets(kMessageOctetsMax);
  unsigned char question[512];
  const int asked = res_nmkquery(state, ns_o_query, zone.Format().c_str(), ns_c_in, type, nullptr, 0, nullptr, question, sizeof question);
  const int size = asked < 0 ? -1 : res_nsend(state, question, asked, octets.data(), static_cast<int>(octets.size()));
  ns_msg message;
  if (size < 0 || ns_initparse(octets.data(), size, &message) != 0)
    return Fail(Reason::kUnavailable, "server " + server, "an answer", "none in " + std::to_string(kTimeoutSeconds * kTries) + " s");
  const unsigned rcode = ns_msg_getflag(message, ns_f_rcode);
  if (rcode != ns_r_noerror && rcode != ns_r_nxdomain)
    return Fail(Reason::kUnavailable, "server " + server, "an answer about " + zone.Format(), "RCODE " + std::to_string(rcode));
  std::set<std::string> texts;
  for (const ns_sect section : {ns_s_an, ns_s_ns}) {
    for (int i = 0; i < ns_msg_count(message, section); ++i) {
      ns_rr record;
      if (ns_parserr(&message, section, i, &record) != 0) break;
      if (auto text = TextOf(message, record, zone, type)) texts.insert(*std::move(text));
    }
  }
  return texts;
}

/// Key tag and algorithm of DS text: what another digest of the same key has in common with it.
std::string KeyOf(const std::string& signer) {
  std::istringstream words(signer);
  std::string tag, algorithm;
  words >> tag >> algorithm;
  return tag + " " + algorithm;
}

bool IsSha256(const std::string& signer) {
  std::istringstream words(signer);
  std::string tag, algorithm, digest_type;
  words >> tag >> algorithm >> digest_type;
  return digest_type == "2";
}

}  // namespace

Result<Delegation> QueryDelegation(const dns::Name& zone, const std::string& server) {
  const auto state = MakeResolver(server);
  if (!state) return tl::unexpected(state.error());
  auto servers = Ask(state->get(), zone, ns_t_ns, server);
  if (!servers) return tl::unexpected(servers.error());
  auto signers = Ask(state->get(), zone, kTypeDs, server);
  if (!signers) return tl::unexpected(signers.error());
  return Delegation{*std::move(servers), *std::move(signers)};
}

Delegation ParseDelegation(const std::vector<std::string>& lines) {
  Delegation delegation;
  for (const std::string& line : lines) {
    std::istringstream words(line);
    std::string owner, ttl, rr_class, type, rest, word;
    words >> owner >> ttl >> rr_class >> type;
    std::vector<std::string> fields;
    while (words >> word) fields.push_back(word);
    if (type == "NS" && !fields.empty()) delegation.name_servers.insert(LowerCase(fields.front()));
    if (type != "DS" || fields.size() < 4) continue;
    std::string digest;
    for (std::size_t i = 3; i < fields.size(); ++i) digest += fields[i];
    delegation.delegation_signers.insert(fields[0] + " " + fields[1] + " " + fields[2] + " " + LowerCase(digest));
  }
  return delegation;
}

std::vector<std::string> CompareDelegations(const Delegation& wanted, const Delegation& met) {
  std::vector<std::string> problems;
  if (met.name_servers.empty() && met.delegation_signers.empty()) return {"there is no delegation"};
  for (const std::string& server : wanted.name_servers)
    if (!met.name_servers.contains(server)) problems.push_back("NS " + server + " is missing");
  for (const std::string& server : met.name_servers)
    if (!wanted.name_servers.contains(server)) problems.push_back("NS " + server + " is no server of the zone");
  if (met.delegation_signers.empty()) problems.emplace_back("there is no DS: validators take the zone for unsigned");
  std::set<std::string> keys;
  for (const std::string& signer : wanted.delegation_signers) {
    keys.insert(KeyOf(signer));
    if (!met.delegation_signers.empty() && !met.delegation_signers.contains(signer)) problems.push_back("DS " + signer + " is missing");
  }
  for (const std::string& signer : met.delegation_signers) {
    const bool right = IsSha256(signer) ? wanted.delegation_signers.contains(signer) : keys.contains(KeyOf(signer));
    if (!right) problems.push_back("DS " + signer + " is of no key of the zone");
  }
  return problems;
}

}  // namespace idzone::cli
