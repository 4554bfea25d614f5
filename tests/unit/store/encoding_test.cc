// SPDX-License-Identifier: MIT
#include "services/store/encoding.h"

#include <gtest/gtest.h>

#include "services/store/database.h"
#include "tests/unit/store/postgres_cluster.h"

namespace idzone::store {
namespace {

/// PostgreSQL itself reads what we wrote and we read what it wrote.
template <typename Check>
void WithTransaction(Check check) {
  static const std::string url = PostgresCluster::Get().NewEmptyDatabase();
  Database database({.url = url, .application_name = "test"});
  const auto outcome = database.Transact("test", [&](pqxx::transaction_base& transaction) -> Result<void> {
    check(transaction);
    return {};
  });
  ASSERT_TRUE(outcome) << outcome.error().Detail();
}

TEST(EncodingTest, OctetsComeBackWhateverTheyAre) {
  WithTransaction([](auto& transaction) {
    for (const Octets& octets : {Octets(), Octets("\0\\x'\xff", 5), Octets(70'000, 'x')})
      EXPECT_EQ(OctetsOf(Execute(transaction, {"octets", "select $1::bytea"}, Bytea(octets))[0][0]), octets);
  });
}

TEST(EncodingTest, ArraysKeepOrderAndOctets) {
  const std::vector<Octets> ids = {Octets(16, '\0'), Octets(16, '\xff'), Octets("0123456789abcdef")};
  const std::vector<std::string> texts = {"a,b", "", "{\"}", "ü\\"};
  WithTransaction([&](auto& transaction) {
    EXPECT_EQ(UuidListOf(Execute(transaction, {"uuids", "select $1::uuid[]"}, UuidArray(Views(ids)))[0][0]), ids);
    EXPECT_EQ(TextListOf(Execute(transaction, {"texts", "select $1::text[]"}, TextArray(Views(texts)))[0][0]), texts);
    EXPECT_TRUE(UuidListOf(Execute(transaction, {"none", "select $1::uuid[]"}, UuidArray({}))[0][0]).empty());
    const auto rows = Execute(transaction, {"bytea_array", "select octet_length(b) from unnest($1::bytea[]) b"},
                              ByteaArray({OctetsView("\0\0", 2), OctetsView("abc")}));
    EXPECT_EQ(rows[0][0].template as<int>(), 2);
    EXPECT_EQ(rows[1][0].template as<int>(), 3);
  });
}

TEST(EncodingTest, NumbersKeepTheirSign) {
  WithTransaction([](auto& transaction) {
    const auto sums = Execute(transaction,
                              {"numbers",
                               "select (select sum(a) from unnest($1::smallint[]) a), (select sum(b) from unnest($2::integer[]) b),"
                               " (select sum(c) from unnest($3::bigint[]) c)"},
                              SmallintArray({-5, 3}), IntegerArray({-2'000'000'000, 7}), BigintArray({INT64_MIN, INT64_MAX}));
    EXPECT_EQ(sums[0][0].template as<int>(), -2);
    EXPECT_EQ(sums[0][1].template as<int>(), -1'999'999'993);
    EXPECT_EQ(sums[0][2].template as<int>(), -1);
  });
}

TEST(EncodingTest, UuidsAreSixteenOctets) {
  WithTransaction([](auto& transaction) {
    EXPECT_EQ(UuidOf(Execute(transaction, {"uuid", "select '00112233-4455-6677-8899-aabbccddeeff'::uuid"})[0][0]),
              *HexDecode("00112233445566778899aabbccddeeff", "test"));
    EXPECT_THROW(UuidOf(Execute(transaction, {"text", "select 'no uuid'::text"})[0][0]), pqxx::conversion_error);
  });
}

}  // namespace
}  // namespace idzone::store
