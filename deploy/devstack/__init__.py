# SPDX-License-Identifier: MIT
"""A whole idzone on one machine, private and unprivileged: what deploy/quickstart and the integration tests run.

cluster       a PostgreSQL cluster of its own
certificates  a development CA and what it issues
process       one daemon: start, ready, stop, kill
stack         all of them, their configuration and the CLI
resolver      validating look-ups with the zone's own DS as trust anchor
"""
