// SPDX-License-Identifier: MIT
#include "services/provisioning/change_wait.h"

#include <algorithm>
#include <thread>

#include "services/store/database.h"

namespace idzone::provisioning {
namespace {

using std::chrono::milliseconds;

/// Publishing takes some ten milliseconds at best; asking less and less often costs the database little.
constexpr milliseconds kPollFirst(10);
constexpr milliseconds kPollLast(200);

Result<ChangeAnswer> Ask(store::Database& database, const store::NamespaceRecord& home, const ChangeQuestion& question,
                         std::uint64_t upto) {
  auto report = store::ReadChanges(database, home, question.changes, upto, question.live_at_edges);
  if (!report) return tl::unexpected(report.error());
  ChangeAnswer answer{.report = std::move(*report), .done = false, .edges_behind = {}};
  answer.done = answer.report.all_published;
  if (!question.live_at_edges) return answer;
  if (!answer.report.any_edge) return Fail(Reason::kNamespaceNotReady, "live_at_edges", "at least one registered edge", "none");
  answer.edges_behind = answer.report.edges_behind;
  answer.done = answer.done && answer.edges_behind.empty();
  return answer;
}

}  // namespace

Result<ChangeAnswer> WaitForChanges(store::Database& database, const store::NamespaceRecord& home, const ChangeQuestion& question,
                                    const std::function<bool()>& give_up) {
  const auto deadline = std::chrono::steady_clock::now() + question.timeout;
  std::uint64_t upto = 0;
  if (question.changes.empty()) {
    const auto newest = store::NewestWaitingChange(database, home.namespace_id);
    if (!newest) return tl::unexpected(newest.error());
    upto = *newest;
  }
  milliseconds pause = kPollFirst;
  while (true) {
    auto answer = Ask(database, home, question, upto);
    if (!answer || answer->done) return answer;
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left <= milliseconds(0) || give_up()) return answer;
    std::this_thread::sleep_for(std::min(pause, left));
    pause = std::min(pause * 2, kPollLast);
  }
}

}  // namespace idzone::provisioning
