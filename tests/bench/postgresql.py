# SPDX-License-Identifier: MIT
"""PostgreSQL as the benchmarks run it, ours and the peer's alike: every commit synced, full-page images on, no checkpoint forced by size."""
from devstack.cluster import Cluster

# A million names are some 2 GB here: with less room than that, their pages go to and fro between PostgreSQL and the kernel.
SETTINGS = {"shared_buffers": "4GB", "max_wal_size": "8GB", "checkpoint_timeout": "15min", "wal_buffers": "32MB", "fsync": "on",
            "synchronous_commit": "on", "full_page_writes": "on"}


def cluster(folder, account):
    return Cluster(folder, account, SETTINGS)
