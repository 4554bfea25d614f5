// SPDX-License-Identifier: MIT
#include "zone-signer/denial/chain.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "tests/unit/zone-signer/denial/naive_zone.h"

namespace idzone::signer::denial {
namespace {

TEST(ChainTest, BeginsWithOneKeyThatPointsToItself) {
  Chain chain(std::vector<Link>{});

  chain.Insert("m");

  EXPECT_EQ(chain.Changed(), (std::vector<Link>{{"m", "m"}}));
}

TEST(ChainTest, WrapsAroundBeforeTheFirstKey) {
  Chain chain(std::vector<Link>{{"z", "m"}});

  chain.Insert("a");

  EXPECT_EQ(chain.Changed(), (std::vector<Link>{{"a", "m"}, {"z", "a"}}));
}

TEST(ChainTest, RemovesNeighboursTogether) {
  Chain chain(std::vector<Link>{{"b", "c"}, {"c", "d"}, {"d", "e"}});

  chain.Remove("c");
  chain.Remove("d");

  EXPECT_EQ(chain.Changed(), (std::vector<Link>{{"b", "e"}}));
}

TEST(ChainTest, InsertsWhereItsPredecessorGoes) {
  Chain chain(std::vector<Link>{{"b", "d"}, {"d", "h"}});

  chain.Insert("e");
  chain.Remove("d");

  EXPECT_EQ(chain.Changed(), (std::vector<Link>{{"b", "e"}, {"e", "h"}}));
}

TEST(ChainTest, SaysNothingOfAKeyThatWentAndCameBack) {
  Chain chain(std::vector<Link>{{"b", "d"}, {"d", "h"}});

  chain.Remove("d");
  chain.Insert("d");

  EXPECT_TRUE(chain.Changed().empty());
}

/// A zone kept the incremental way: only what NamesAround and the predecessors say is ever looked at.
class IncrementalZone {
 public:
  IncrementalZone(dns::DenialKind kind, const dns::Name& apex) : kind_(kind), apex_(apex) {
    nodes_[apex] = TreeNode{apex, true, 0};
    chain_[KeyOf(apex)] = KeyOf(apex);
  }

  void Apply(const std::map<dns::Name, bool>& wishes) {
    std::vector<dns::Name> owners;
    for (const auto& [owner, has_data] : wishes) owners.push_back(owner);
    std::vector<TreeNode> existing;
    for (const dns::Name& name : NamesAround(kind_, apex_, owners)) {
      if (const auto found = nodes_.find(name); found != nodes_.end()) existing.push_back(found->second);
    }
    NameTree tree(kind_, apex_, existing);
    for (const auto& [owner, has_data] : wishes) tree.SetData(owner, has_data);
    Apply(tree.Difference());
  }

  const std::map<dns::Name, TreeNode>& nodes() const { return nodes_; }
  const std::map<dns::DenialKey, dns::DenialKey>& chain() const { return chain_; }

 private:
  void Apply(const NameTree::Changes& changes) {
    std::vector<dns::DenialKey> entering, leaving;
    for (const TreeNode& node : changes.created) entering.push_back(KeyOf(node.owner));
    for (const TreeNode& node : changes.removed) leaving.push_back(KeyOf(node.owner));
    std::map<dns::DenialKey, dns::DenialKey> known;
    for (const auto* keys : {&entering, &leaving}) {
      for (const dns::DenialKey& key : *keys) known.insert(*PredecessorOf(key));
    }
    for (const dns::DenialKey& key : leaving) known.insert(*chain_.find(key));
    std::vector<Link> links;
    for (const auto& [key, next] : known) links.push_back({key, next});
    Chain chain(links);
    for (const dns::DenialKey& key : entering) chain.Insert(key);
    for (const dns::DenialKey& key : leaving) chain.Remove(key);

    for (const dns::DenialKey& key : leaving) chain_.erase(key);
    for (const Link& link : chain.Changed()) chain_[link.key] = link.next;
    for (const TreeNode& node : changes.removed) nodes_.erase(node.owner);
    for (const auto* list : {&changes.created, &changes.changed}) {
      for (const TreeNode& node : *list) nodes_[node.owner] = node;
    }
  }

  dns::DenialKey KeyOf(const dns::Name& name) const { return dns::DenialKeyOf(kind_, name, apex_); }
  /// What store::LoadPredecessors answers.
  std::map<dns::DenialKey, dns::DenialKey>::const_iterator PredecessorOf(const dns::DenialKey& key) const {
    const auto place = chain_.lower_bound(key);
    return std::prev(place == chain_.begin() ? chain_.end() : place);
  }

  dns::DenialKind kind_;
  dns::Name apex_;
  std::map<dns::Name, TreeNode> nodes_;
  std::map<dns::DenialKey, dns::DenialKey> chain_;
};

/// Names of one to four labels over a small alphabet, so that they meet, nest and share empty non-terminals.
dns::Name RandomName(const dns::Name& apex, std::mt19937& random, int letters) {
  dns::Name name = apex;
  const int labels = 1 + static_cast<int>(random() % 4);
  for (int i = 0; i < labels; ++i) name = name.Prepend(std::string(1, static_cast<char>('a' + random() % letters))).value();
  return name;
}

void PlayHistory(dns::DenialKind kind, unsigned seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const dns::Name apex = dns::Name::Parse("_device.example.").value();
  NaiveZone naive{kind, apex, {}};
  IncrementalZone zone(kind, apex);
  const int letters = 1 + static_cast<int>(random() % 5);
  const unsigned long bias = 20 + random() % 70;  // how likely a name comes rather than goes, in percent
  const int batches = 1 + static_cast<int>(random() % 12);
  for (int batch = 0; batch < batches; ++batch) {
    std::map<dns::Name, bool> wishes;
    const int size = 1 + static_cast<int>(random() % 12);
    for (int i = 0; i < size; ++i) wishes[RandomName(apex, random, letters)] = random() % 100 < bias;
    if (batch + 1 == batches && seed % 3 == 0) {
      for (const dns::Name& name : naive.with_data) wishes[name] = false;
    }
    zone.Apply(wishes);
    for (const auto& [name, has_data] : wishes) {
      if (has_data) {
        naive.with_data.insert(name);
      } else {
        naive.with_data.erase(name);
      }
    }
    ASSERT_EQ(zone.nodes(), naive.Nodes()) << "batch " << batch;
    ASSERT_EQ(zone.chain(), naive.Chain()) << "batch " << batch;
  }
}

class ChainPropertyTest : public ::testing::TestWithParam<dns::DenialKind> {};

TEST_P(ChainPropertyTest, EveryHistoryGivesTheChainThatARebuildGives) {
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    PlayHistory(GetParam(), seed);
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(EachKind, ChainPropertyTest, ::testing::Values(dns::DenialKind::kNsec3, dns::DenialKind::kNsec));

}  // namespace
}  // namespace idzone::signer::denial
