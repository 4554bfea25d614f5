# SPDX-License-Identifier: MIT
"""A stack whose signer lives in the past: days of a key roll go by in jumps, while every signature is valid now."""
import datetime
import json
import threading

import gate
import past_clock
import psycopg2
from devstack.process import wait_until
from idzone_stack import TestStack

HOUR = 3600
WAIT_SECONDS = 60


class RollingStack(TestStack):
    begins_hours_ago = 62  # of the 72 that signatures of `standard` live

    def declare(self):
        super().declare()
        # The signer's clock alone is another, so that it must not be compared with PostgreSQL's.
        self.settings = {"SIGNING_CLOCK_SKEW_SECONDS_MAX": "0", "ROLLOVER_PROPAGATION_SECONDS": "0", "PARENT_DS_TTL_SECONDS": "60", "PARENT_PROPAGATION_SECONDS": "0"}
        self.set_signer_clock(self.begins_hours_ago * HOUR)
        self.asking = threading.Lock()  # held by who asks, while it asks
        self.before_jump = lambda: None
        return self

    def set_signer_clock(self, seconds_ago):
        assert seconds_ago >= 0, "the signer would live in the future"
        self.seconds_ago = seconds_ago
        settings = {f"IDZONE_SIGNERD_{name}": value for name, value in self.settings.items()}
        self.daemons["signerd"].environment = {**past_clock.environment(seconds_ago), **settings}

    def jump(self, seconds):
        """Kills the signer, whatever it is doing, and starts it that much later. PowerDNS is restarted: what its packet cache holds
        for 20 s is younger than any key's farewell, but not when hours go by at once."""
        self.before_jump()
        self.signerd.kill()
        self.signerd._child = None
        with self.asking:
            self.pdns.restart().wait_ready(WAIT_SECONDS)
        self.set_signer_clock(self.seconds_ago - seconds)
        self.signerd.start().wait_ready(WAIT_SECONDS)

    def seconds_until(self, text):
        """From the signer's clock to a time."""
        then = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
        return then - (datetime.datetime.now().timestamp() - self.seconds_ago)

    def status(self, namespace, zone=None):
        return self.cli_json("key", "status", namespace, *(("--zone", zone) if zone else ()))

    def keys(self, namespace, *options):
        return [json.loads(line) for line in self.cli("--output", "jsonl", "key", "list", namespace, *options).stdout.splitlines()]

    def wait_status(self, namespace, zone=None, **wanted):
        """Waits until the status has those values; `zone`: one with keys of its own."""
        last = {}

        def reached():
            last.update(now=self.status(namespace, zone))
            return all(last["now"].get(name) == value for name, value in wanted.items())
        try:
            wait_until(reached, WAIT_SECONDS, f"{zone or namespace} with {wanted}")
        except TimeoutError as late:
            raise AssertionError(f"{late}: {last['now']}") from None
        return last["now"]

    def wait_served(self, zone):
        wait_until(lambda: self.soa_serial(zone) == self.serial(zone), WAIT_SECONDS, f"{zone} served as published")

    def serial(self, zone):
        return int(self.cluster.sql(f"select serial from published.zone where name_text = '{zone}'"))

    def versions(self, zone):
        with psycopg2.connect(self.cluster.url()) as connection, connection.cursor() as cursor:
            cursor.execute("select v.epoch, v.serial, v.previous_serial, v.previous_digest, v.digest, v.delta from published.version v "
                           "join published.zone z using (zone_id) where z.name_text = %s order by v.epoch, v.serial", (zone,))
            return [tuple(bytes(value) if isinstance(value, memoryview) else value for value in row) for row in cursor]

    def require_valid_versions(self, zone, denial, judged):
        """The gate on each version that is not in `judged` yet, as the journal has it."""
        import journal_zone  # beside the campaigns

        reader = journal_zone.JournalZone(zone, denial)
        for row in self.versions(zone):
            reader.apply(*row)
            if (zone, row[1]) in judged:
                continue
            judged.add((zone, row[1]))
            path = self.folder / "version.zone"
            path.write_text("\n".join(reader.lines()) + "\n")
            gate.require_valid(path, zone, HOUR)
