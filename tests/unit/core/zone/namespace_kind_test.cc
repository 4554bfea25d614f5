// SPDX-License-Identifier: MIT
#include "services/core/zone/namespace_kind.h"

#include <gtest/gtest.h>

namespace idzone::zone {
namespace {

using dns::Name;

std::string Expected(const std::string& text) {
  const auto checked = CheckApex(Name::Parse(text).value());
  EXPECT_FALSE(checked.has_value()) << text;
  if (checked) return "";
  EXPECT_EQ(checked.error().reason, Reason::kZoneApexForbidden);
  return checked.error().expected;
}

TEST(NamespaceKindTest, TheFirstLabelSaysTheKind) {
  const std::pair<const char*, NamespaceKind> names[] = {
      {"_device.acme.example", NamespaceKind::kDevice},
      {"_Device.acme.example", NamespaceKind::kDevice},
      {"_user.acme.example", NamespaceKind::kUser},
      {"_openpgpkey.acme.example", NamespaceKind::kMailKey},
      {"_smimecert.acme.example", NamespaceKind::kMailCertificate},
      {"_smtp-client.device1.acme.example", NamespaceKind::kService},
      {"_x.acme.example", NamespaceKind::kService},
      {"_abcdefghijklmno.acme.example", NamespaceKind::kService},
  };
  for (const auto& [text, kind] : names) {
    const Name apex = Name::Parse(text).value();
    EXPECT_TRUE(CheckApex(apex).has_value()) << text;
    EXPECT_EQ(KindOf(apex), kind) << text;
  }
}

TEST(NamespaceKindTest, RefusesWhatIsNoServiceLabel) {
  for (const char* text : {".", "acme.example", "www.acme.example", "_device", "x._device.acme.example", "_.acme.example",
                           "_abcdefghijklmnop.acme.example", "_-a.acme.example", "_a-.acme.example", "_a--b.acme.example",
                           "_123.acme.example", "_a_b.acme.example", "__device.acme.example", "*._device.acme.example"})
    EXPECT_FALSE(Expected(text).empty());
}

TEST(NamespaceKindTest, RefusesLabelsOfOtherProtocols) {
  EXPECT_EQ(Expected("_dmarc.acme.example"), "another first label: there mail systems read a domain's mail policy");
  EXPECT_EQ(Expected("_tcp.acme.example"), "another first label: below it stand the records of a host's servers");
  EXPECT_EQ(Expected("_signal.acme.example"), "another first label: there name servers read DNSSEC's own signals");
  EXPECT_EQ(Expected("_http.acme.example"), "another first label: there clients read how to reach a server");
  EXPECT_EQ(Expected("_psl.acme.example"), "another first label: by it certification authorities and others see who controls a domain");
  for (const char* label : {"_domainkey", "_spf", "_mta-sts", "_smtp-tlsrpt", "_udp", "_sctp", "_dane", "_dsboot", "_dnsauth"})
    EXPECT_TRUE(Expected(std::string(label) + ".acme.example").starts_with("another first label: ")) << label;
}

TEST(NamespaceKindTest, RefusesLabelsThatProveControlAnywhere) {
  for (const char* text : {"_acme-challenge.acme.example", "_acme-challenge_42.acme.example", "_validation-persist.acme.example",
                           "_device._acme-challenge.acme.example", "_user._validation-contactemail.acme.example"})
    EXPECT_TRUE(Expected(text).starts_with("no label _")) << text;
}

TEST(NamespaceKindTest, RefusesLabelsOfNoHost) {
  EXPECT_EQ(Expected("_device.ac\\032me.example"), "labels of letters, digits, hyphens, underscores (A-labels)");
}

TEST(NamespaceKindTest, LeavesRoomForNsec3Labels) {
  const std::string label(63, 'x');
  const std::string base = "_device." + label + "." + label + ".";
  EXPECT_TRUE(CheckApex(Name::Parse(base + std::string(63, 'y') + "." + std::string(20, 'z')).value()).has_value());
  EXPECT_FALSE(CheckApex(Name::Parse(base + std::string(63, 'y') + "." + std::string(21, 'z')).value()).has_value());
}

}  // namespace
}  // namespace idzone::zone
