// SPDX-License-Identifier: MIT
// Names from the wire and from text: what one form makes, the other reads back.
#include "services/core/dns/denial.h"
#include "services/core/dns/name.h"
#include "tests/fuzz/fuzz_target.h"

using namespace idzone;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const OctetsView input = fuzz::ViewOf(data, size);
  if (const auto name = dns::Name::FromWire(input)) {
    const auto again = dns::Name::Parse(name->Format());
    IDZONE_INVARIANT(again && *again == *name, "a name from the wire is read back from its text");
    static_cast<void>(dns::Nsec3Hash(*name));
  }
  if (const auto name = dns::Name::Parse(input)) {
    const auto again = dns::Name::FromWire(name->wire());
    IDZONE_INVARIANT(again && *again == *name, "a name from text is read back from the wire");
  }
  static const dns::Name zone = dns::Name::Parse("_device.acme.example.").value();
  for (const auto kind : {dns::DenialKind::kNsec3, dns::DenialKind::kNsec}) {
    const auto key = dns::KeyOfDenialNext(kind, input, zone);
    if (key)
      IDZONE_INVARIANT(dns::DenialNextOf(kind, *key, zone) == input || kind == dns::DenialKind::kNsec, "a key goes back to its next");
  }
  if (const auto name = dns::CanonicalName(input, zone))
    IDZONE_INVARIANT(dns::CanonicalKey(*name, zone) == input, "a canonical key is that of the name that it spells");
  return 0;
}
