# SPDX-License-Identifier: MIT
"""The firewall of a transfer host, in a network namespace of its own: listed addresses reach the port, others do not."""
import os
import re
import subprocess
import sys

from idzone_stack import SOURCE

PORT = 5300
LISTENER = f"""
import socket, subprocess
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
subprocess.run(["nft", "-f", "-"], input=open(0).read(), text=True, check=True)

def reaches(family, kind, target, source):
    with socket.socket(family, kind) as server, socket.socket(family, kind) as client:
        server.bind((target, {PORT}))
        server.settimeout(1)
        client.settimeout(1)
        client.bind((source, 0))
        try:
            if kind == socket.SOCK_DGRAM:
                client.sendto(b"x", (target, {PORT}))
                return server.recv(1) == b"x"
            server.listen()
            client.connect((target, {PORT}))
            return True
        except (TimeoutError, PermissionError):
            return False

for source in ("127.0.0.1", "127.0.0.2", "127.0.0.9"):
    print(source, *(reaches(socket.AF_INET, kind, "127.0.0.1", source) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)))
print("::1", *(reaches(socket.AF_INET6, kind, "::1", "::1") for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)))
"""


def answers(addresses6):
    values = {"PORT": str(PORT), "ADDRESSES": "127.0.0.1, 127.0.0.2", "ADDRESSES6": addresses6}
    rules = re.sub(r"@([A-Z0-9]+)@", lambda marker: values[marker.group(1)], (SOURCE / "deploy" / "firewall" / "transfer.nft").read_text())
    alone = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    done = subprocess.run([*alone, sys.executable, "-c", LISTENER], input=rules, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


def test_only_listed_addresses_reach_the_port():
    assert answers("2001:db8::1") == ["127.0.0.1 True True", "127.0.0.2 True True", "127.0.0.9 False False", "::1 False False"]
    assert answers("::1")[-1] == "::1 True True"
