// SPDX-License-Identifier: MIT
// Lives worlds in which keys roll (roll_world.h), one a seed and style, and says what came of them.
// usage: roll_worlds FIRST_SEED SEEDS YEARS [STYLE]
// Prints one JSON object a line: each world with failures, then the sums.
#include <cstdlib>
#include <iostream>

#include "tests/tools/roll_world.h"

namespace {

using namespace idzone::signer::rollover;

/// Beside the styles: what a policy's lives of keys begin.
constexpr int kBySchedule = 6;

std::uint64_t NumberOf(const char* text) {
  return std::strtoull(text, nullptr, 10);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || argc > 5) {
    std::cerr << "usage: roll_worlds FIRST_SEED SEEDS YEARS [STYLE]\n";
    return 2;
  }
  const std::uint64_t first = NumberOf(argv[1]);
  const auto years = static_cast<std::int64_t>(NumberOf(argv[3]));
  WorldReport sum;
  std::uint64_t worlds = 0;
  for (int style = 1; style <= kBySchedule; ++style) {
    if (argc == 5 && style != static_cast<int>(NumberOf(argv[4]))) continue;
    for (std::uint64_t seed = first; seed < first + NumberOf(argv[2]); ++seed, ++worlds) {
      const bool by_schedule = style == kBySchedule;
      const Style scheduled = seed % 2 == 0 ? Style::kAllKeys : Style::kZskPrePublish;  // of which kinds the keys are
      const WorldReport report = World({.seed = seed,
                                        .style = by_schedule ? scheduled : static_cast<Style>(style),
                                        .length = hours(24 * 365 * years),
                                        .emergencies = seed % 2 == 0,
                                        .parent_can_be_asked = seed % 3 != 0,
                                        .by_schedule = by_schedule})
                                     .Run();
      sum.judged += report.judged;
      sum.steps += report.steps;
      sum.rolls_finished += report.rolls_finished;
      sum.emergencies += report.emergencies;
      sum.emergencies_that_followed += report.emergencies_that_followed;
      sum.scheduled += report.scheduled;
      sum.outages += report.outages;
      sum.longest_outage = std::max(sum.longest_outage, report.longest_outage);
      sum.least_rest = std::min(sum.least_rest, report.least_rest);
      for (const std::string& failure : report.failures) std::cout << "{\"failure\": \"" << failure << "\"}\n";
      sum.failures.insert(sum.failures.end(), report.failures.begin(), report.failures.end());
    }
  }
  std::cout << "{\"worlds\": " << worlds << ", \"steps\": " << sum.steps << ", \"judged\": " << sum.judged
            << ", \"rolls_finished\": " << sum.rolls_finished << ", \"emergencies\": " << sum.emergencies
            << ", \"emergencies_that_followed\": " << sum.emergencies_that_followed << ", \"scheduled\": " << sum.scheduled
            << ", \"outages\": " << sum.outages << ", \"longest_outage_h\": " << sum.longest_outage / hours(1)
            << ", \"least_rest\": " << sum.least_rest << "}\n";
  return sum.failures.empty() ? 0 : 1;
}
