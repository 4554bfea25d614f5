# SPDX-License-Identifier: MIT
"""The name servers that idzone is measured beside, one a file. Each class has two makers:

  serving(zones)          the zone, signed by somebody else (signed_zones.py), one server thread on one core
  publishing(owners)      the zone, signed by the server itself, dynamic updates allowed, durable

and is then a Server (peers/server.py).
"""
import importlib

CLASSES = {"bind9": "Bind9", "knot": "Knot", "nsd": "Nsd", "pdns_gpgsql": "PdnsGpgsql", "pdns_lmdb": "PdnsLmdb", "pdns_bind": "PdnsBind",
           "pdns_idle": "PdnsIdle"}


def peer(name):
    """Returns the class."""
    return getattr(importlib.import_module(f"peers.{name}"), CLASSES[name])
