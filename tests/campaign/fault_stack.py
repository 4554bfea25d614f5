# SPDX-License-Identifier: MIT
"""A stack whose edge has a small disk of its own and a link to the feed that can be spoilt."""
import contextlib
import errno
import os
import subprocess

import dns.dnssec
import dns.message
import dns.name
import dns.query
import dns.rdatatype
from idzone_stack import TestStack
from slow_link import SlowLink

DISK_OCTETS = 32 * 1024 * 1024


class FaultStack(TestStack):
    __test__ = False

    def __init__(self, name):
        super().__init__(name)
        self.link = SlowLink(self.ports["feedd"])
        # Mounting needs rights that a container may lack; then the disk cannot be filled, and all else goes on.
        self.small_disk = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_OCTETS}", "idzone-replica", self.folder / "replica"],
                                         capture_output=True, check=False).returncode == 0

    def _write_configuration(self):
        super()._write_configuration()
        path = self.folder / "config" / "replicad.toml"
        feed = f'address = "localhost:{self.ports["feedd"]}"'
        assert feed in path.read_text()
        path.write_text(path.read_text().replace(feed, f'address = "localhost:{self.link.port}"'))

    def close(self):
        self.link.close()
        for name in ("pdns", "replicad"):
            if name in self.daemons:
                self.daemons[name].kill()
        if self.small_disk:
            subprocess.run(["umount", "-l", self.folder / "replica"], check=False)
        super().close()

    @contextlib.contextmanager
    def full_disk(self):
        """Nothing more can be written beside the replica."""
        ballast = self.folder / "replica" / "ballast"
        file = os.open(ballast, os.O_WRONLY | os.O_CREAT)
        try:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        os.write(file, bytes(size))
                except OSError as full:
                    if full.errno != errno.ENOSPC:
                        raise
            yield
        finally:
            os.close(file)
            ballast.unlink()

    @staticmethod
    def slowness():
        """How many times slower than an idle machine this one is now: what waits for each processor."""
        return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def checked_keys(stack, zone):
    """The zone's DNSKEY RRset from DNS, which one of its DS records must name."""
    query = dns.message.make_query(zone, "DNSKEY", want_dnssec=True)
    answer = dns.query.tcp(query, "127.0.0.1", port=stack.ports["dns"], timeout=5)
    keys = next(rrset for rrset in answer.answer if rrset.rdtype == dns.rdatatype.DNSKEY)
    made = {str(dns.dnssec.make_ds(dns.name.from_text(zone), key, "SHA256")).lower() for key in keys}
    signers = {_without_gaps(line.split(" DS ")[1]) for line in (" ".join(line.split()) for line in stack.delegation_signer(zone))}
    assert made & signers, (made, signers)
    return keys


def _without_gaps(ds):
    tag, algorithm, digest_type, *digest = ds.lower().split()
    return f"{tag} {algorithm} {digest_type} {''.join(digest)}"
