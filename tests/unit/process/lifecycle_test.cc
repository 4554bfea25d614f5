// SPDX-License-Identifier: MIT
#include "services/process/lifecycle.h"

#include <csignal>

#include <gtest/gtest.h>
#include <unistd.h>

namespace idzone::process {
namespace {

using std::chrono::milliseconds;

TEST(LifecycleTest, SigtermRequestsAStop) {
  SignalWatch watch;

  EXPECT_FALSE(watch.token().stop_requested());
  kill(getpid(), SIGTERM);

  EXPECT_FALSE(SleepFor(watch.token(), std::chrono::seconds(10)));
}

TEST(LifecycleDeathTest, SecondSignalEndsAtOnce) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        SignalWatch watch;
        kill(getpid(), SIGINT);
        SleepFor(watch.token(), std::chrono::seconds(10));
        kill(getpid(), SIGINT);
        pause();
      },
      testing::ExitedWithCode(130), "process.ended_at_once");
}

TEST(LifecycleTest, SleepEndsByItself) {
  std::stop_source source;

  EXPECT_TRUE(SleepFor(source.get_token(), milliseconds(1)));
  source.request_stop();
  EXPECT_FALSE(SleepFor(source.get_token(), std::chrono::hours(1)));
}

TEST(LifecycleTest, BackoffDoublesToItsBoundAndResets) {
  Backoff backoff(milliseconds(100), milliseconds(400));

  for (const int expected : {100, 200, 400, 400}) {
    const milliseconds wait = backoff.Next();
    EXPECT_LE(wait, milliseconds(expected));
    EXPECT_GE(wait, milliseconds(expected * 3 / 4));
  }
  backoff.Reset();
  EXPECT_LE(backoff.Next(), milliseconds(100));
}

}  // namespace
}  // namespace idzone::process
