// SPDX-License-Identifier: MIT
#include "services/provisioning/page_token.h"

#include "services/core/base/limits.h"

namespace idzone::provisioning {
namespace {

constexpr std::size_t kCheckOctets = 8;
/// A key is a name, an id or a fingerprint.
constexpr std::size_t kTokenMax = 2 * (kCheckOctets + limits::kNameTextMax);

Octets CheckOf(const ListName& list, OctetsView key) {
  Octets octets;
  OctetWriter writer(octets);
  writer.U16Sized(list.method);
  writer.U16Sized(list.selection);
  writer.Raw(key);
  return Sha256(octets).substr(0, kCheckOctets);
}

tl::unexpected<Error> Invalid() {
  return Fail(Reason::kPageTokenInvalid, "page_token", "next_page_token of the same list, with the same arguments", "another text");
}

}  // namespace

std::string MakePageToken(const ListName& list, OctetsView last_key) {
  return HexEncode(CheckOf(list, last_key) + Octets(last_key));
}

Result<store::PageOf> ReadPage(const ListName& list, std::uint32_t page_size, const std::string& page_token) {
  if (page_size > limits::kPageSizeMax)
    return Fail(Reason::kValueOutOfRange, "page_size", "1 to " + std::to_string(limits::kPageSizeMax), std::to_string(page_size));
  store::PageOf page{.after = "", .limit = page_size == 0 ? limits::kPageSizeDefault : page_size};
  if (page_token.empty()) return page;
  if (page_token.size() > kTokenMax) return Invalid();
  const auto octets = HexDecode(page_token, "page_token");
  if (!octets || octets->size() <= kCheckOctets) return Invalid();
  page.after = octets->substr(kCheckOctets);
  if (octets->substr(0, kCheckOctets) != CheckOf(list, page.after)) return Invalid();
  return page;
}

}  // namespace idzone::provisioning
