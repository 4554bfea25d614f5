// SPDX-License-Identifier: MIT
#include "zone-signer/denial/name_tree.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace idzone::signer::denial {
namespace {

using dns::DenialKind;

const dns::Name kApex = dns::Name::Parse("_device.example.").value();

dns::Name Below(std::string_view labels) {
  return dns::Name::Parse(std::string(labels) + "._device.example.").value();
}

TreeNode Apex(std::int32_t children = 0) {
  return {kApex, true, children};
}

std::vector<std::string> Texts(const std::vector<TreeNode>& nodes) {
  std::vector<std::string> texts;
  for (const TreeNode& node : nodes)
    texts.push_back(node.owner.Format() + (node.has_data ? " data " : " empty ") + std::to_string(node.child_count));
  std::sort(texts.begin(), texts.end());
  return texts;
}

using Lines = std::vector<std::string>;

TEST(NameTreeTest, AddsANameAndItsEmptyNonTerminals) {
  NameTree tree(DenialKind::kNsec3, kApex, {Apex()});

  tree.SetData(Below("a.b.c"), true);

  const auto changes = tree.Difference();
  EXPECT_EQ(Texts(changes.created), (Lines{"a.b.c._device.example. data 0", "b.c._device.example. empty 1", "c._device.example. empty 1"}));
  EXPECT_EQ(Texts(changes.changed), (Lines{"_device.example. data 1"}));
  EXPECT_TRUE(changes.removed.empty());
}

TEST(NameTreeTest, CountsASecondChildAndStopsThere) {
  NameTree tree(DenialKind::kNsec3, kApex, {Apex(1), {Below("c"), false, 1}});

  tree.SetData(Below("d.c"), true);

  const auto changes = tree.Difference();
  EXPECT_EQ(Texts(changes.created), (Lines{"d.c._device.example. data 0"}));
  EXPECT_EQ(Texts(changes.changed), (Lines{"c._device.example. empty 2"}));
}

TEST(NameTreeTest, RemovesTheLastChildAndWhatIsEmptyAbove) {
  NameTree tree(DenialKind::kNsec3, kApex, {Apex(1), {Below("c"), false, 1}, {Below("b.c"), false, 1}, {Below("a.b.c"), true, 0}});

  tree.SetData(Below("a.b.c"), false);

  const auto changes = tree.Difference();
  EXPECT_EQ(changes.removed.size(), 3u);
  EXPECT_EQ(Texts(changes.changed), (Lines{"_device.example. data 0"}));
}

TEST(NameTreeTest, GivesDataToAnEmptyNonTerminalAndTakesItAway) {
  const std::vector<TreeNode> existing{Apex(1), {Below("c"), false, 1}};
  NameTree tree(DenialKind::kNsec3, kApex, existing);

  tree.SetData(Below("c"), true);

  EXPECT_EQ(Texts(tree.Difference().changed), (Lines{"c._device.example. data 1"}));

  tree.SetData(Below("c"), false);

  EXPECT_TRUE(tree.Difference().changed.empty());
  EXPECT_TRUE(tree.Difference().removed.empty());
}

TEST(NameTreeTest, KeepsANodeWithChildrenWhenItsDataGoes) {
  NameTree tree(DenialKind::kNsec3, kApex, {Apex(1), {Below("c"), true, 1}});

  tree.SetData(Below("c"), false);

  EXPECT_EQ(Texts(tree.Difference().changed), (Lines{"c._device.example. empty 1"}));
}

TEST(NameTreeTest, ForgetsANameThatCameAndWent) {
  NameTree tree(DenialKind::kNsec3, kApex, {Apex()});

  tree.SetData(Below("a.b"), true);
  tree.SetData(Below("a.b"), false);

  const auto changes = tree.Difference();
  EXPECT_TRUE(changes.created.empty() && changes.changed.empty() && changes.removed.empty());
}

TEST(NameTreeTest, DoesNothingForANameThatIsNotThere) {
  NameTree tree(DenialKind::kNsec3, kApex, {Apex()});

  tree.SetData(Below("a"), false);

  EXPECT_TRUE(tree.Difference().removed.empty());
}

TEST(NameTreeTest, NamesAroundAreEachNameAndItsAncestorsOnce) {
  const auto names = NamesAround(DenialKind::kNsec3, kApex, {Below("a.b"), Below("c.b"), Below("d")});

  EXPECT_EQ(names.size(), 5u);
  EXPECT_EQ(names.front(), kApex);
}

TEST(NameTreeTest, AnNsecZoneHasNoEmptyNonTerminalsAndNoCounts) {
  NameTree tree(DenialKind::kNsec, kApex, {Apex(), {Below("gone.b"), true, 0}});

  tree.SetData(Below("a.b.c"), true);
  tree.SetData(Below("gone.b"), false);

  const auto changes = tree.Difference();
  EXPECT_EQ(Texts(changes.created), (Lines{"a.b.c._device.example. data 0"}));
  EXPECT_EQ(Texts(changes.removed), (Lines{"gone.b._device.example. data 0"}));
  EXPECT_TRUE(changes.changed.empty());
}

TEST(NameTreeTest, AnNsecZoneLooksAtTheNamesAloneAndTheApex) {
  const auto names = NamesAround(DenialKind::kNsec, kApex, {Below("a.b"), Below("c.b"), Below("a.b"), kApex});

  EXPECT_EQ(names, (std::vector<dns::Name>{kApex, Below("a.b"), Below("c.b")}));
}

}  // namespace
}  // namespace idzone::signer::denial
