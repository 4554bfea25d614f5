// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

/// How a reader tells the writer that it met damage: it appends an octet to the file `damage` beside the replica, which the
/// writer watches (watch.h). Nothing depends on it arriving: a value that is damaged is refused wherever it is read.
namespace idzone::replica {

/// Never fails: a reader that may not write there has nobody to tell. The file is not let grow beyond some KiB.
void NoteDamage(const std::string& directory);
/// Makes the file, empty, so that readers of the group may write it.
void PrepareDamageNotes(const std::string& directory);
/// Returns how many notes there are; 0 when there is no such file.
std::uint64_t CountDamageNotes(const std::string& directory);

}  // namespace idzone::replica
