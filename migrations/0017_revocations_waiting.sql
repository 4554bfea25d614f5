-- SPDX-License-Identifier: MIT
-- Whether a revocation waits, in whichever namespace, is asked while a transaction signs.
-- Locks: registry.dirty_batch exclusively, for as long as its queue is read once.

create index dirty_batch_revocations on registry.dirty_batch (namespace_id) where kind = 1;
