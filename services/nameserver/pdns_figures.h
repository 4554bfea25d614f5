// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "services/replica/figure_board.h"

namespace idzone::nameserver {

/// Fills in what PowerDNS counts: answers by response code, by transport, and its packet cache. Threads: any.
void ReadPdnsFigures(replica::Figures& figures);

}  // namespace idzone::nameserver
