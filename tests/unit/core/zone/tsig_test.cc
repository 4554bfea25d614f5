// SPDX-License-Identifier: MIT
#include "services/core/zone/tsig.h"

#include <gtest/gtest.h>

namespace idzone::zone {
namespace {

// Made by dnspython 2.3: make_query("_device.acme.example.", "SOA"), id 0x1234, use_tsig(Key("berlin.transfer.", b"k" * 32,
// algorithm)), at 1764040000.
const std::string kRequest = "12340000000100000000000";
const std::string kQuestion = "075f6465766963650461636d65076578616d706c650000060001";
const std::string kKeyName = "066265726c696e087472616e7366657200";

TEST(TsigTest, SignsAsDnspythonDoes) {
  const std::vector<std::pair<TsigAlgorithm, std::string>> vectors = {
      {TsigAlgorithm::kHmacSha256,
       "00fa00ff00000000003d0b686d61632d73686132353600000069251d40012c0020940700ea1d3a2a924a8c1038cf24c25c6376f65478deba8dd5ada19c7c50907a"
       "123400000000"},
      {TsigAlgorithm::kHmacSha384,
       "00fa00ff00000000004d0b686d61632d73686133383400000069251d40012c00306d5b599772acc804cbf34e534d700725e1cb79bfb954c0c1941c6741ed111585"
       "ab48f287b9ac12401d75067f52d7ae74123400000000"},
      {TsigAlgorithm::kHmacSha512,
       "00fa00ff00000000005d0b686d61632d73686135313200000069251d40012c0040b2f51a42b8609157ec064b81dfa68f6e7bbd6cf5953baff91c598176b4b41b33"
       "533a366de0b3f31a7ef617902970a30edda9303b342ce8b0c3f2a6018e7598ee123400000000"}};
  const UnixTime now{std::chrono::seconds(1'764'040'000)};
  for (const auto& [algorithm, tsig] : vectors) {
    const TsigKey key{dns::Name::Parse("berlin.transfer.").value(), algorithm, Octets(32, 'k')};
    const auto made = SignRequest(HexDecode(kRequest + "0" + kQuestion, "message").value(), key, now);
    EXPECT_EQ(HexEncode(made.value()), kRequest + "1" + kQuestion + kKeyName + tsig) << TsigAlgorithmName(algorithm);
  }
}

}  // namespace
}  // namespace idzone::zone
