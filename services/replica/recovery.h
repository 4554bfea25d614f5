// SPDX-License-Identifier: MIT
#pragma once

#include <stop_token>
#include <string>

#include "services/replica/inspection.h"

/// What idzone-replicad does about a replica that may be damaged, or is not there.
///
/// Before it opens a replica it has it inspected, in a process of its own, since LMDB may die of what it finds there. A whole
/// one is opened where it lies. Otherwise a new one is filled from the feed in the folder `rebuild` beside the files, and takes
/// their place when it holds all that the feed has: until then a name server goes on with the old files, whose damaged values
/// it refuses.
namespace idzone::replica {

/// The child's side: prints the findings of a replica to standard output. Returns its exit code.
int InspectHere(const std::string& directory);

/// Runs `program --inspect DIRECTORY` and returns what it found; a child that dies, or takes ten minutes, found damage.
/// NOT_FOUND: there is no replica. SCHEMA_MISMATCH: it is of another version. UNAVAILABLE: it cannot be opened, for a reason
/// that is not in the file. CANCELLED: `stop` was requested.
Result<Findings> InspectInChild(const std::string& program, const std::string& directory, const std::stop_token& stop);

/// Where the writer opens.
struct WritePlace {
  std::string directory;  // where to write
  bool aside = false;     // it is the folder `rebuild`, and has to take the replica's place
};

/// Returns the place of a replica that is to be made anew, emptied.
Result<WritePlace> PrepareRebuild(const std::string& directory);
/// Moves the files of `rebuild` into the replica's place. Readers notice within a second; whoever has the files open keeps
/// them. Interrupted anywhere, the replica is either the old one or the new one, and inspected at the next start.
Result<void> TakePlace(const std::string& directory);

}  // namespace idzone::replica
