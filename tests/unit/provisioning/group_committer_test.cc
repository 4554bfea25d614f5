// SPDX-License-Identifier: MIT
#include "services/provisioning/group_committer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace idzone::provisioning {
namespace {

using Committer = GroupCommitter<int, int>;

std::vector<Result<int>> Double(const std::vector<int>& items) {
  std::vector<Result<int>> outcomes;
  for (const int item : items) outcomes.emplace_back(item < 0 ? Result<int>(Fail(Reason::kNotFound, "", "", "")) : Result<int>(2 * item));
  return outcomes;
}

/// A commit that waits until it is let go, and says how large the batches were.
struct Gate {
  std::promise<void> entered;
  std::promise<void> open;
  std::atomic<int> commits = 0;
  std::vector<std::size_t> sizes;

  Committer::Commit Commit() {
    return [this](const std::vector<int>& items) {
      if (commits++ == 0) {
        entered.set_value();
        open.get_future().wait();
      }
      sizes.push_back(items.size());
      return Double(items);
    };
  }
};

bool Submit(
    Committer& committer, int item, Committer::Done done = [](Result<int>) {}) {
  return committer.Submit(item, done);
}

TEST(GroupCommitterTest, EachItemGetsItsOwnOutcome) {
  std::map<int, Result<int>> outcomes;
  {
    Committer committer({.workers = 1}, Double);
    for (int item = -5; item < 50; ++item) Submit(committer, item, [&, item](Result<int> outcome) { outcomes.emplace(item, outcome); });
  }

  ASSERT_EQ(outcomes.size(), 55u);
  EXPECT_EQ(outcomes.at(7).value(), 14);
  EXPECT_EQ(outcomes.at(-1).error().reason, Reason::kNotFound);
}

TEST(GroupCommitterTest, WhatGathersDuringACommitIsTheNextBatch) {
  Gate gate;
  {
    Committer committer({.workers = 1, .batch_max = 10}, gate.Commit());
    Submit(committer, 0);
    gate.entered.get_future().wait();
    for (int item = 1; item <= 13; ++item) Submit(committer, item);
    gate.open.set_value();
  }

  EXPECT_EQ(gate.sizes, (std::vector<std::size_t>{1, 10, 3}));
}

TEST(GroupCommitterTest, FullQueueRefusesAndSaysWhenThereIsRoom) {
  Gate gate;
  std::atomic<bool> resumed = false;
  bool resumed_early = false;
  {
    Committer committer({.workers = 1, .batch_max = 2, .queue_max = 2}, gate.Commit());
    Submit(committer, 0);
    gate.entered.get_future().wait();
    EXPECT_TRUE(Submit(committer, 1));
    EXPECT_TRUE(Submit(committer, 2));
    EXPECT_FALSE(Submit(committer, 3));
    committer.WhenRoom([&] { resumed = true; });
    resumed_early = resumed;
    gate.open.set_value();
  }

  EXPECT_FALSE(resumed_early);
  EXPECT_TRUE(resumed);
}

TEST(GroupCommitterTest, RoomThatIsThereResumesAtOnce) {
  bool resumed = false;
  Committer committer({.workers = 1}, Double);

  committer.WhenRoom([&] { resumed = true; });

  EXPECT_TRUE(resumed);
}

TEST(GroupCommitterTest, EndingCommitsWhatIsQueued) {
  std::atomic<int> done = 0;
  {
    Committer committer({.workers = 3, .batch_max = 4}, Double);
    for (int item = 0; item < 1000; ++item) Submit(committer, item, [&](Result<int>) { ++done; });
  }

  EXPECT_EQ(done, 1000);
}

}  // namespace
}  // namespace idzone::provisioning
