# SPDX-License-Identifier: MIT
"""Look-ups in bulk: libunbound for verdicts, plain DNS for what PowerDNS says on the wire."""
import pathlib
import socket

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
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
            # Not a stub zone: there, whoever hears of a cut's NS records goes to these servers, and in the tests they have no addresses.
            f'forward-zone:\n  name: "{zone}"\n  forward-addr: 127.0.0.1@{port}\n')
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


def record_types(octets):
    """Returns the set of types of all records of a DNS message, OPT left out: a small reader, because it reads millions."""
    questions = int.from_bytes(octets[4:6], "big")
    records = sum(int.from_bytes(octets[at:at + 2], "big") for at in (6, 8, 10))
    position, types = 12, set()

    def skip_name(at):
        while octets[at] != 0:
            if octets[at] >= 0xC0:
                return at + 2
            at += 1 + octets[at]
        return at + 1

    for _ in range(questions):
        position = skip_name(position) + 4
    for _ in range(records):
        position = skip_name(position)
        types.add(int.from_bytes(octets[position:position + 2], "big"))
        position += 10 + int.from_bytes(octets[position + 8:position + 10], "big")
    assert position == len(octets), "the message ends where its records end"
    return types - {dns.rdatatype.OPT}


def sweep_all_types(port, name, window=48, rr_class=dns.rdataclass.IN):
    """Asks for all 65,536 types of a name in a class over UDP; returns ({type asked: types in the answer}). Types that the server
    does not answer (OPT, TSIG and the like make a malformed question) are asked three times and then missing."""
    wire, class_code = dns.name.from_text(name).to_wire(), int(rr_class).to_bytes(2, "big")
    # RD off, one question, one OPT record: 4,096 octets, DO.
    flags_and_counts, opt = bytes.fromhex("00000001000000000001"), bytes.fromhex("0000291000000080000000")
    answers = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", port))
        client.settimeout(0.5)
        for _ in range(3):
            order = [rr_type for rr_type in range(65536) if rr_type not in answers]
            for start in range(0, len(order), window):
                waiting = set(order[start:start + window])
                for rr_type in waiting:
                    code = rr_type.to_bytes(2, "big")  # the message's id is the type
                    client.send(code + flags_and_counts + wire + code + class_code + opt)
                while waiting:
                    try:
                        octets = client.recv(65535)
                    except TimeoutError:
                        break
                    asked = int.from_bytes(octets[:2], "big")
                    waiting.discard(asked)
                    answers[asked] = record_types(octets)
    return answers
