# SPDX-License-Identifier: MIT
"""A machine as sshd and ssh see it, without touching this one: a mount namespace with files of its own in /etc and /run, a validating
Unbound at port 53 of an unused loopback address, and an sshd that asks idzone for keys. Needs root."""
import contextlib
import os
import pathlib
import random
import shutil
import socket
import subprocess

from devstack.ports import free_ports
from devstack.process import wait_until

HOST_KEY = "host"
HOME = "/run/idzone"  # in the namespace: root's alone, all the way up, as sshd demands


def free_loopback_address():
    """An address of 127/8 whose port 53 nobody uses: glibc's resolver asks no other port."""
    source = random.SystemRandom()
    for _ in range(100):
        address = f"127.{source.randint(64, 126)}.{source.randint(1, 254)}.{source.randint(1, 254)}"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            try:
                udp.bind((address, 53))
                tcp.bind((address, 53))
            except OSError:
                continue
        return address
    raise RuntimeError("no loopback address has a free port 53")


def make_ssh_key(file, kind="ed25519", bits=None):
    """Makes FILE and FILE.pub with ssh-keygen; returns the line of FILE.pub."""
    size = ["-b", str(bits)] if bits else []
    subprocess.run(["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-C", "ada", "-f", str(file)], check=True, timeout=60)
    return pathlib.Path(f"{file}.pub").read_text()


def sshfp_by_ssh_keygen(public_file, kind=2):
    """Returns "4 2 <hex>" as `ssh-keygen -r` prints it, of one fingerprint type."""
    done = subprocess.run(["ssh-keygen", "-r", "x", "-f", str(public_file)], capture_output=True, text=True, check=True, timeout=60)
    found = [line.split(" SSHFP ", 1)[1] for line in done.stdout.splitlines() if line.split()[4] == str(kind)]
    assert len(found) == 1, done.stdout
    return found[0]


class SshWorld:
    """Use as a context manager. `hosts` are names at 127.0.0.1, `users` the lines of idzone's file of users."""

    def __init__(self, folder, idzone, zone, ds_lines, port, hosts, users):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.address, self.port = free_loopback_address(), free_ports(1)[0]
        self._idzone, self._zone, self._ds_lines, self._dns_port = idzone, zone, ds_lines, port
        if not (self.folder / HOST_KEY).exists():
            make_ssh_key(self.folder / HOST_KEY)
        self._write("resolv.conf", f"nameserver {self.address}\noptions edns0 trust-ad timeout:5 attempts:2\n")
        self._write("hosts", "127.0.0.1 localhost\n" + "".join(f"127.0.0.1 {host.rstrip('.')}\n" for host in hosts))
        self._write("ssh_users", "".join(f"{line}\n" for line in users))
        self._write("anchors", "\n".join(ds_lines) + "\n")
        self._write("passwd", pathlib.Path("/etc/passwd").read_text() + "ada:x:64242:64242::/:/bin/sh\n")
        self._write("shadow", "ada:*:19000::::::\n")
        self._write("sshd_config", self._sshd_config())
        self._write("unbound.conf", self._unbound_config())
        self._write("enter", self._enter_script())

    def _write(self, name, text):
        (self.folder / name).write_text(text)

    def command_line(self):
        """What sshd runs for each offered key, without its arguments."""
        return [f"{HOME}/idzone", "ssh", "authorized-keys", "--users", f"{HOME}/ssh_users", "--trust-anchor", f"{HOME}/anchors",
                "--resolver", f"{self.address}@53"]

    def _sshd_config(self):
        return (f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {HOME}/host\nPidFile none\nUsePAM no\nLogLevel VERBOSE\n"
                "AuthorizedKeysFile none\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
                f"AuthorizedKeysCommand {' '.join(self.command_line())} --exit-zero %u %t %k\nAuthorizedKeysCommandUser nobody\n")

    def _unbound_config(self):
        anchors = "".join(f'  trust-anchor: "{" ".join(line.split())}"\n' for line in self._ds_lines)
        return (f'server:\n  interface: {self.address}\n  port: 53\n  access-control: 127.0.0.0/8 allow\n  do-daemonize: no\n  chroot: ""\n  username: ""\n'
                f'  pidfile: ""\n  use-syslog: no\n  logfile: "{self.folder}/unbound.log"\n  do-not-query-localhost: no\n'
                f'  module-config: "validator iterator"\n  root-hints: ""\n{anchors}'
                f'stub-zone:\n  name: "{self._zone}"\n  stub-addr: 127.0.0.1@{self._dns_port}\n')

    def _enter_script(self):
        """Runs as root in the new namespace, then lives as long as its standard input."""
        binds = "".join(f"mount --bind {self.folder}/{name} /etc/{name}\n" for name in ("resolv.conf", "hosts", "passwd", "shadow"))
        return (f"set -e\nchmod 640 {self.folder}/shadow\n{binds}mkdir -p {self.folder}/copy\ncp {self._idzone} {self.folder}/copy/idzone\n"
                f"mount -t tmpfs -o mode=755 tmpfs /run\nmkdir -m 755 /run/sshd {HOME}\n"
                f"cp {self.folder}/copy/idzone {HOME}/idzone\ncp {self.folder}/ssh_users {self.folder}/anchors {self.folder}/host {HOME}\n"
                f"chmod 755 {HOME}/idzone\nchmod 644 {HOME}/ssh_users {HOME}/anchors\nchmod 600 {HOME}/host\necho ready\nexec cat >/dev/null\n")

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self._holder = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "bash", str(self.folder / "enter")],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            stack.callback(self._end, self._holder)
            assert self._holder.stdout.readline() == "ready\n", "the namespace could not be made"
            self._start(stack, ["unbound", "-d", "-c", self.folder / "unbound.conf"], "unbound", inside=False)
            wait_until(self._validates, 20, "a validating resolver")
            self._start(stack, ["/usr/sbin/sshd", "-D", "-e", "-f", self.folder / "sshd_config"], "sshd")
            wait_until(self._listens, 20, "sshd")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _start(self, stack, command, name, inside=True):
        with open(self.folder / f"{name}.out", "wb") as out:
            command = self._inside(command) if inside else [str(part) for part in command]
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        stack.callback(self._end, child)

    @staticmethod
    def _end(child):
        child.kill()
        child.wait()

    def _inside(self, command):
        return ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "--", *map(str, command)]

    def _validates(self):
        done = subprocess.run(["dig", f"@{self.address}", "+dnssec", "+tries=1", "+time=2", self._zone, "SOA"], capture_output=True, text=True, check=False)
        return " ad" in next((line for line in done.stdout.splitlines() if "flags:" in line), "")

    def _listens(self):
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    # What is asked of it.

    def run(self, *command, timeout=60):
        """Runs a command inside; returns the finished process."""
        return subprocess.run(self._inside(command), capture_output=True, text=True, check=False, timeout=timeout, stdin=subprocess.DEVNULL)

    def ssh(self, host, key, user="ada", known_hosts="/dev/null"):
        """Logs in and says the user's name: batch mode, DNS as the only source of the host's key."""
        return self.run("ssh", "-F", "/dev/null", "-p", self.port, "-i", key, "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "BatchMode=yes",
                        "-o", f"UserKnownHostsFile={known_hosts}", "-o", "GlobalKnownHostsFile=/dev/null", "-o", "VerifyHostKeyDNS=yes",
                        "-o", "StrictHostKeyChecking=yes", "-v", f"{user}@{host.rstrip('.')}", "id", "-un")

    def authorized_keys(self, user, public_line):
        """Runs what sshd runs, as the user that sshd runs it as."""
        kind, blob = public_line.split()[:2]
        return self.run("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--", *self.command_line(), user, kind, blob)

    def host_key_line(self):
        return (self.folder / f"{HOST_KEY}.pub").read_text()

    def host_sshfp(self):
        return sshfp_by_ssh_keygen(self.folder / f"{HOST_KEY}.pub")

    def sshd_log(self):
        return (self.folder / "sshd.out").read_text(errors="replace")


def can_run():
    """Whether this machine lets us: root, and the programs."""
    return os.geteuid() == 0 and all(shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin") for name in ("sshd", "ssh", "unshare", "nsenter", "unbound"))
