# SPDX-License-Identifier: MIT
# What the feed needs of PostgreSQL.
idzone_library(idzone_store_feed SOURCES feed_store.cc DEPENDS idzone_store)
