// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/version_draft.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace idzone::signer::pipeline {
namespace {

const dns::Name kApex = dns::Name::Parse("_device.example.").value();

dns::RrSet Tlsa(char fill) {
  return {dns::RrType::kTlsa, 300, {Octets("\x03\x01\x01", 3) + Octets(32, fill)}, {"a signature"}};
}

dns::DenialKey KeyOf(std::string_view label) {
  return dns::Nsec3Hash(kApex.Prepend(label).value());
}

store::NodeRow ValidRow(std::string_view label, std::vector<dns::RrSet> rrsets) {
  const dns::Name owner = kApex.Prepend(label).value();
  return {1, dns::Nsec3Hash(owner), owner, 0, std::move(rrsets), {Octets(20, 'n'), "a denial signature"}, {}};
}

TEST(VersionDraftTest, HasNoChangesAtFirst) {
  VersionDraft draft;
  draft.AddLoaded(ValidRow("a", {Tlsa('x')}));
  draft.AddNeighbour({1, Octets(20, 'k'), {dns::RrType::kTlsa}, Octets(20, 'n'), {}});

  EXPECT_FALSE(draft.HasChanges());
  EXPECT_TRUE(MakeDelta(draft).empty());
}

TEST(VersionDraftTest, AnotherRdataChangesDataButNotTheDenial) {
  VersionDraft draft;
  DraftNode& node = draft.AddLoaded(ValidRow("a", {Tlsa('x')}));
  const dns::RrSet other = Tlsa('y');

  VersionDraft::SetRrSet(node, other.type, &other);

  EXPECT_TRUE(node.data_changed);
  EXPECT_FALSE(node.denial_changed);
  const auto delta = MakeDelta(draft);
  ASSERT_EQ(delta.size(), 1u);
  EXPECT_TRUE(delta[0].data && !delta[0].denial);
}

TEST(VersionDraftTest, AnotherTypeChangesTheDenialToo) {
  VersionDraft draft;
  DraftNode& node = draft.AddLoaded(ValidRow("a", {Tlsa('x')}));

  VersionDraft::SetRrSet(node, dns::RrType::kTlsa, nullptr);

  EXPECT_TRUE(node.data_changed && node.denial_changed);
  EXPECT_TRUE(node.types.empty());
}

TEST(VersionDraftTest, RemovingWhatIsNotThereChangesNothing) {
  VersionDraft draft;
  DraftNode& node = draft.AddLoaded(ValidRow("a", {}));

  VersionDraft::SetRrSet(node, dns::RrType::kTlsa, nullptr);

  EXPECT_FALSE(draft.HasChanges());
}

TEST(VersionDraftTest, ALoadedNodeStaysWhenItIsANeighbourToo) {
  VersionDraft draft;
  const store::NodeRow row = ValidRow("a", {Tlsa('x')});
  draft.AddLoaded(row);

  DraftNode& node = draft.AddNeighbour({1, row.key, {dns::RrType::kTlsa}, Octets(20, 'z'), {}});

  EXPECT_TRUE(node.whole);
  EXPECT_EQ(node.row.denial.next, Octets(20, 'n'));
}

TEST(VersionDraftTest, ANeighbourBecomesWholeAndKeepsItsNewPlaceInTheChain) {
  VersionDraft draft;
  const store::NodeRow row = ValidRow("a", {Tlsa('x')});
  DraftNode& neighbour = draft.AddNeighbour({1, row.key, {dns::RrType::kTlsa}, row.denial.next, {}});
  neighbour.row.denial.next = Octets(20, 'z');
  neighbour.denial_changed = true;

  DraftNode& node = draft.AddLoaded(row);

  EXPECT_EQ(&node, &neighbour);
  EXPECT_TRUE(node.whole && node.denial_changed);
  EXPECT_EQ(node.row.rrsets, row.rrsets);
  EXPECT_EQ(node.row.owner, row.owner);
  EXPECT_EQ(node.row.denial.next, Octets(20, 'z'));
}

TEST(VersionDraftTest, ADeltaIsInKeyOrderAndLeavesOutChildCounts) {
  VersionDraft draft;
  for (const char* label : {"a", "b", "c", "d"})
    draft.Create(1, KeyOf(label), kApex.Prepend(label).value(), 0, {Tlsa('x')}).row.denial = {Octets(20, 'n'), "a denial signature"};
  DraftNode& counted = draft.AddLoaded(ValidRow("e", {Tlsa('x')}));
  counted.child_count_changed = true;
  DraftNode& gone = draft.AddLoaded(ValidRow("f", {Tlsa('x')}));
  gone.removed = true;

  const auto delta = MakeDelta(draft);

  ASSERT_EQ(delta.size(), 5u);
  for (std::size_t i = 1; i < delta.size(); ++i) EXPECT_LT(delta[i - 1].key, delta[i].key);
  const auto removed = std::find_if(delta.begin(), delta.end(), [](const auto& change) { return change.removed; });
  EXPECT_EQ(removed->key, gone.row.key);
  const auto decoded = zone::DecodeDelta(zone::EncodeDelta(delta), kApex, dns::DenialKind::kNsec3);
  ASSERT_TRUE(decoded.has_value()) << decoded.error().Detail();
  EXPECT_EQ(*decoded, delta);
}

}  // namespace
}  // namespace idzone::signer::pipeline
