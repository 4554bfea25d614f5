// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "services/provisioning/convert.h"

namespace idzone::provisioning {
namespace {

v1::Namespace ValidNamespace() {
  v1::Namespace proto;
  proto.set_name("_device.Acme.example");
  proto.add_name_servers("ns1.example.net.");
  return proto;
}

Reason ReasonOf(const v1::Namespace& proto) {
  const auto record = NamespaceFromProto(proto, 0, "acme");
  return record ? Reason::kInternal : record.error().reason;
}

TEST(NamespaceFromProtoTest, FillsInTheDefaults) {
  const auto record = NamespaceFromProto(ValidNamespace(), 0, "acme");

  ASSERT_TRUE(record) << record.error().Detail();
  EXPECT_EQ(record->name.Format(), "_device.acme.example.");
  EXPECT_EQ(record->operator_id, "acme");
  EXPECT_EQ(record->layout, (zone::Layout{zone::LayoutKind::kTree, 1}));
  EXPECT_TRUE(record->has_cuts);
  EXPECT_EQ(record->policy, "standard");
  EXPECT_EQ(record->profile, records::RecordProfile::kTlsa311);
  EXPECT_EQ(record->name_servers, std::vector<std::string>{"ns1.example.net."});
}

TEST(NamespaceFromProtoTest, WidthFitsTheExpectedNumber) {
  EXPECT_EQ(NamespaceFromProto(ValidNamespace(), 50'000, "acme")->layout.width, 1);
  EXPECT_EQ(NamespaceFromProto(ValidNamespace(), 500, "acme")->layout.width, 0);
  EXPECT_FALSE(NamespaceFromProto(ValidNamespace(), 500, "acme")->has_cuts);
}

TEST(NamespaceFromProtoTest, RefusesNamesOutsideTheSuffix) {
  for (const char* name : {"acme.example.", "_acme-challenge.acme.example.", "_tcp._device.acme.example.", "_device."}) {
    v1::Namespace proto = ValidNamespace();
    proto.set_name(name);
    EXPECT_EQ(ReasonOf(proto), Reason::kZoneApexForbidden) << name;
  }
  v1::Namespace proto = ValidNamespace();
  proto.set_name("_device..example.");
  EXPECT_EQ(ReasonOf(proto), Reason::kNameMalformed);
  proto.clear_name();
  EXPECT_EQ(ReasonOf(proto), Reason::kValueMissing);
}

TEST(NamespaceFromProtoTest, UsersArePrivateUnlessTheNamespaceSaysOtherwise) {
  v1::Namespace proto = ValidNamespace();
  proto.set_name("_user.acme.example.");
  EXPECT_EQ(NamespaceFromProto(proto, 0, "acme")->labels, zone::LabelPrivacy::kPrivate);

  proto.set_labels(v1::LABEL_PRIVACY_CLEAR);
  EXPECT_EQ(NamespaceFromProto(proto, 0, "acme")->labels, zone::LabelPrivacy::kClear);

  proto.clear_labels();
  proto.mutable_layout()->set_kind(v1::LAYOUT_KIND_ENUM);
  proto.mutable_layout()->set_form(v1::ENUM_FORM_E164);
  EXPECT_EQ(NamespaceFromProto(proto, 0, "acme")->labels, zone::LabelPrivacy::kClear);

  proto.set_labels(v1::LABEL_PRIVACY_PRIVATE);
  EXPECT_EQ(ReasonOf(proto), Reason::kValueOutOfRange);
}

TEST(NamespaceFromProtoTest, EnumNeedsAFormAndOthersRefuseOne) {
  v1::Namespace proto = ValidNamespace();
  proto.mutable_layout()->set_kind(v1::LAYOUT_KIND_ENUM);
  EXPECT_EQ(ReasonOf(proto), Reason::kValueOutOfRange);

  proto.mutable_layout()->set_form(v1::ENUM_FORM_IMEI);
  EXPECT_EQ(NamespaceFromProto(proto, 0, "acme")->layout, (zone::Layout{zone::LayoutKind::kEnum, 0, zone::EnumForm::kImei}));

  proto.mutable_layout()->set_kind(v1::LAYOUT_KIND_FLAT);
  EXPECT_EQ(ReasonOf(proto), Reason::kValueOutOfRange);
}

TEST(NamespaceFromProtoTest, ServicesAndMailboxesAreFlatAndClear) {
  v1::Namespace proto = ValidNamespace();
  proto.set_name("_smtp-client.mx1.acme.example.");
  EXPECT_EQ(NamespaceFromProto(proto, 0, "acme")->layout, (zone::Layout{zone::LayoutKind::kFlat, 0}));

  proto.set_labels(v1::LABEL_PRIVACY_PRIVATE);
  EXPECT_EQ(ReasonOf(proto), Reason::kValueOutOfRange);

  proto.clear_labels();
  proto.mutable_layout()->set_kind(v1::LAYOUT_KIND_TREE);
  EXPECT_EQ(ReasonOf(proto), Reason::kValueOutOfRange);
}

TEST(NamespaceFromProtoTest, MailRecordsAreAskedForByName) {
  v1::Namespace proto = ValidNamespace();
  proto.set_mail_records(true);
  EXPECT_EQ(ReasonOf(proto), Reason::kValueOutOfRange) << "devices have none";

  proto.set_name("_smimecert.acme.example.");
  EXPECT_EQ(NamespaceFromProto(proto, 0, "acme")->profile, records::RecordProfile::kTlsa300);

  proto.clear_mail_records();
  EXPECT_EQ(ReasonOf(proto), Reason::kValueOutOfRange);
}

TEST(NamespaceFromProtoTest, WildcardsAreForDevicesInClear) {
  v1::Namespace proto = ValidNamespace();
  proto.set_wildcard_ca(true);
  EXPECT_EQ(NamespaceFromProto(proto, 0, "acme")->layout, (zone::Layout{zone::LayoutKind::kFlat, 0}));

  proto.set_labels(v1::LABEL_PRIVACY_PRIVATE);
  EXPECT_EQ(ReasonOf(proto), Reason::kValueOutOfRange);

  proto.clear_labels();
  proto.set_name("_user.acme.example.");
  EXPECT_EQ(ReasonOf(proto), Reason::kValueOutOfRange);
}

TEST(NamespaceFromProtoTest, RefusesWidthsThatTheLayoutDoesNotHave) {
  v1::Namespace proto = ValidNamespace();
  proto.mutable_layout()->set_kind(v1::LAYOUT_KIND_FLAT);
  proto.mutable_layout()->set_width(1);
  EXPECT_EQ(ReasonOf(proto), Reason::kValueOutOfRange);
  proto.mutable_layout()->set_kind(v1::LAYOUT_KIND_TREE);
  proto.mutable_layout()->set_width(4);
  EXPECT_EQ(ReasonOf(proto), Reason::kValueOutOfRange);
  proto.mutable_layout()->set_kind(v1::LAYOUT_KIND_UNSPECIFIED);
  EXPECT_EQ(ReasonOf(proto), Reason::kEnumUnknown);
}

TEST(NamespaceFromProtoTest, RefusesNameServersThatCannotServe) {
  v1::Namespace proto = ValidNamespace();
  proto.set_name_servers(0, "ns1._device.acme.example.");
  EXPECT_EQ(ReasonOf(proto), Reason::kNameMalformed);
  proto.set_name_servers(0, "localhost");
  EXPECT_EQ(ReasonOf(proto), Reason::kNameMalformed);
  proto.set_name_servers(0, "ns1.example.net");
  proto.add_name_servers("NS1.example.net.");
  EXPECT_EQ(ReasonOf(proto), Reason::kValueMalformed);
  proto.clear_name_servers();
  EXPECT_EQ(ReasonOf(proto), Reason::kValueMissing);
  for (int i = 0; i < 14; ++i) proto.add_name_servers("ns" + std::to_string(i) + ".example.net.");
  EXPECT_EQ(ReasonOf(proto), Reason::kValueOutOfRange);
}

TEST(NamespaceFromProtoTest, RefusesWhatCannotBeAPolicysName) {
  v1::Namespace proto = ValidNamespace();
  proto.set_policy("Slow!");
  EXPECT_EQ(ReasonOf(proto), Reason::kValueMalformed);
}

TEST(CheckTextTest, OperatorIdsAreShortAndPlain) {
  EXPECT_TRUE(CheckOperatorId("acme-2", "id"));
  for (const std::string& bad :
       {std::string(), std::string("Acme"), std::string("-a"), std::string("a."), std::string(64, 'a'), std::string("a\0b", 3)})
    EXPECT_FALSE(CheckOperatorId(bad, "id")) << bad;
}

TEST(CheckTextTest, EdgeIdsMayHaveDots) {
  EXPECT_TRUE(CheckEdgeId("edge1.fra.example", "id"));
  EXPECT_FALSE(CheckEdgeId(".edge", "id"));
}

TEST(CheckTextTest, DisplayNamesHaveNoControlCharacters) {
  EXPECT_TRUE(CheckDisplayName("Gerätewerk Süd", "display_name"));
  EXPECT_FALSE(CheckDisplayName("a\nb", "display_name"));
  EXPECT_EQ(CheckDisplayName(std::string(201, 'a'), "display_name").error().reason, Reason::kLimitExceeded);
}

}  // namespace
}  // namespace idzone::provisioning
