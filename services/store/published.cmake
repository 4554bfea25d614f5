# SPDX-License-Identifier: MIT
# What the signer needs of PostgreSQL.
idzone_library(idzone_store_published
  SOURCES published_alarm.cc published_clock.cc published_journal.cc published_key.cc published_node.cc published_queue.cc published_roll.cc published_zone.cc
  DEPENDS idzone_store)
