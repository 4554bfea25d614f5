// SPDX-License-Identifier: MIT
#include "services/core/records/rdata_check.h"

#include <gtest/gtest.h>

#include "services/core/identity/openpgp_key.h"
#include "services/core/records/sshfp.h"
#include "tests/unit/core/golden.h"
#include "tests/unit/core/identity/make_key.h"

namespace idzone::records {
namespace {

using dns::RrType;
using identity::KeyMaterial;
using identity::MaterialKind;
using namespace testing;

Reason ReasonOf(RrType type, const std::string& rdata) {
  const auto checked = CheckRdata(type, rdata);
  return checked ? static_cast<Reason>(0) : checked.error().reason;
}

TEST(SshfpTest, EqualsSshKeygen) {
  for (const auto& row : GoldenTable("ssh/sshfp.txt")) {
    const auto key = KeyMaterial::Parse(MaterialKind::kSshPublicKey, Golden("ssh/" + row.at(0) + ".pub")).value();
    const Octets rdata = MakeSshfp(key).value();
    EXPECT_EQ(HexEncode(rdata), "0" + row.at(1) + "0" + row.at(2) + row.at(3)) << row[0];
    EXPECT_TRUE(CheckRdata(RrType::kSshfp, rdata).has_value());
  }
}

TEST(SshfpTest, NeedsAnOpenSshKey) {
  const auto key = KeyMaterial::Parse(MaterialKind::kPublicKey, SpkiDer(EcKey("P-256"))).value();
  EXPECT_EQ(MakeSshfp(key).error().reason, Reason::kMaterialWrongKind);
}

TEST(RdataCheckTest, RefusesFingerprintsThatNobodyShouldUse) {
  const std::string digest(32, 'x');
  for (const char algorithm : {'\1', '\3', '\4', '\6'})
    EXPECT_EQ(ReasonOf(RrType::kSshfp, std::string{algorithm, 2} + digest), static_cast<Reason>(0));
  for (const char algorithm : {'\0', '\2', '\5', '\7'})
    EXPECT_EQ(ReasonOf(RrType::kSshfp, std::string{algorithm, 2} + digest), Reason::kRecordMalformed);
  EXPECT_EQ(ReasonOf(RrType::kSshfp, std::string{4, 1} + digest.substr(0, 20)), Reason::kRecordMalformed);
  EXPECT_EQ(ReasonOf(RrType::kSshfp, std::string{4, 2} + digest + "x"), Reason::kRecordMalformed);
  EXPECT_EQ(ReasonOf(RrType::kSshfp, ""), Reason::kRecordMalformed);
}

TEST(RdataCheckTest, SmimeaHasTheFormatOfTlsa) {
  const std::string rdata = std::string("\x03\x01\x01", 3) + std::string(32, 'x');
  for (const RrType type : {RrType::kTlsa, RrType::kSmimea}) {
    EXPECT_TRUE(CheckRdata(type, rdata).has_value());
    const auto refused = CheckRdata(type, rdata + "x");
    EXPECT_EQ(refused.error().reason, Reason::kRecordMalformed);
    EXPECT_EQ(refused.error().subject, dns::RrTypeName(type));
  }
}

TEST(RdataCheckTest, OpenPgpKeysArePacketsWithoutArmor) {
  const std::string binary = Golden("openpgp/hugh.pgp");
  EXPECT_TRUE(CheckRdata(RrType::kOpenPgpKey, binary).has_value());
  EXPECT_EQ(ReasonOf(RrType::kOpenPgpKey, Golden("openpgp/hugh.asc")), Reason::kRecordMalformed);
  EXPECT_EQ(ReasonOf(RrType::kOpenPgpKey, binary + std::string("\xca\x03PGP", 5)), Reason::kRecordMalformed);
  EXPECT_EQ(ReasonOf(RrType::kOpenPgpKey, ""), Reason::kRecordMalformed);
}

TEST(RdataCheckTest, NoIdentityHasAnotherType) {
  for (const RrType type : {RrType::kNs, RrType::kSoa, RrType::kDs, RrType::kDnskey, RrType::kRrsig, RrType::kNsec3Param})
    EXPECT_EQ(ReasonOf(type, "x"), Reason::kRecordTypeForbidden);
}

}  // namespace
}  // namespace idzone::records
