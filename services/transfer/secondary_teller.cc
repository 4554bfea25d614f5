// SPDX-License-Identifier: MIT
#include "services/transfer/secondary_teller.h"

namespace idzone::transfer {

std::vector<zone::SecondaryStanding> SecondaryTeller::Take(std::size_t max) {
  std::vector<zone::SecondaryStanding> news;
  for (const zone::SecondaryStanding& standing : now_) {
    if (news.size() == max) break;
    const auto [told, is_new] = told_.try_emplace({standing.secondary, standing.zone}, standing);
    if (!is_new && told->second == standing) continue;
    told->second = standing;
    news.push_back(standing);
  }
  return news;
}

}  // namespace idzone::transfer
