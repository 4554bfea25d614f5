# SPDX-License-Identifier: MIT
"""Look-ups in bulk: libunbound for verdicts, plain DNS for what PowerDNS says on the wire."""
import pathlib
import socket

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import unbound

TLSA = 52


class SecureResolver:
    """libunbound with a zone's DS as its only anchor and nothing cached, so that each look-up asks PowerDNS anew."""

    def __init__(self, folder, zone, ds_lines, port):
        folder = pathlib.Path(folder)
        folder.mkdir(exist_ok=True, parents=True)
        config = folder / f"{zone.strip('.')}.libunbound.conf"
        anchors = "".join(f'  trust-anchor: "{" ".join(line.split())}"\n' for line in ds_lines)
        config.write_text(
            'server:\n  do-not-query-localhost: no\n  module-config: "validator iterator"\n  use-syslog: no\n  root-hints: ""\n'
            "  cache-max-ttl: 0\n  cache-max-negative-ttl: 0\n  aggressive-nsec: no\n" + anchors +
            f'stub-zone:\n  name: "{zone}"\n  stub-addr: 127.0.0.1@{port}\n')
        self._context = unbound.ub_ctx()
        assert self._context.config(str(config)) == 0

    def ask(self, name, rr_type=TLSA):
        """Returns (verdict, RDATA list): secure, secure NXDOMAIN, secure NODATA, insecure, SERVFAIL… or bogus: why."""
        status, result = self._context.resolve(name, rr_type, unbound.RR_CLASS_IN)
        assert status == 0, unbound.ub_strerror(status)
        if result.bogus:
            return f"bogus: {result.why_bogus}", []
        if not result.secure:
            return "insecure" if result.rcode in (0, 3) else result.rcode_str, []
        if result.nxdomain:
            return "secure NXDOMAIN", []
        if not result.havedata:
            return "secure NODATA", []
        return "secure", list(result.data.raw)


def wire_query(port, name, rr_type="TLSA", do=True, timeout=5):
    """Asks PowerDNS over UDP, over TCP when truncated; returns the dnspython message."""
    query = dns.message.make_query(name, rr_type, want_dnssec=do)
    query.flags &= ~dns.flags.RD
    for _ in range(2):
        try:
            return dns.query.udp_with_fallback(query, "127.0.0.1", port=port, timeout=timeout)[0]
        except dns.exception.Timeout:
            continue
    raise AssertionError(f"no answer for {name} {rr_type}")


def sweep_all_types(port, name, window=64):
    """Asks for all 65,536 types of a name over UDP; yields each answer as a parsed message. Types that the server does not
    answer at all (it treats OPT, TSIG and the like as malformed questions) are asked three times."""
    wire = dns.name.from_text(name).to_wire()
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect(("127.0.0.1", port))
    client.settimeout(0.5)
    pending = set(range(65536))
    for _ in range(3):
        order = sorted(pending)
        for start in range(0, len(order), window):
            batch = set(order[start:start + window])
            for rr_type in batch:
                # The message id is the type, RD off, one question and an OPT record with DO and 4,096 octets.
                header = rr_type.to_bytes(2, "big") + bytes.fromhex("00000001000000000001")
                client.send(header + wire + rr_type.to_bytes(2, "big") + b"\0\1" + bytes.fromhex("00002910000000800000 00".replace(" ", "")))
            while batch:
                try:
                    octets = client.recv(65535)
                except TimeoutError:
                    break
                answered = int.from_bytes(octets[:2], "big")
                batch.discard(answered)
                if answered in pending:
                    pending.discard(answered)
                    yield answered, dns.message.from_wire(octets, ignore_trailing=True)
    client.close()
