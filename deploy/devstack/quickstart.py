# SPDX-License-Identifier: MIT
"""The quickstart's work after packages and build (deploy/quickstart): everything here can be run again."""
import argparse
import csv
import fcntl
import hashlib
import os
import pathlib
import sys

from . import showcase
from .account import Account
from .report import Report, coloured
from .ports import port_is_free
from .stack import SOURCE, CommandFailed, Stack

LINK = SOURCE / ".idzone"
BUILD = SOURCE / "build" / "release"
DEVICES = 1000


class CannotGoOn(RuntimeError):
    """Said to the user as it is."""


def state_folder():
    """.idzone/ in the source tree; when the unprivileged account cannot enter the tree (a clone in /root), a folder that
    it can enter, with .idzone as a link to it."""
    if Account().can_reach(LINK):
        LINK.mkdir(exist_ok=True)
        return LINK.resolve()
    if not LINK.is_symlink():
        if LINK.exists():
            raise CannotGoOn(f"{LINK} exists and the account of the daemons cannot enter {SOURCE}: remove it")
        folder = pathlib.Path("/var/tmp") / ("idzone-" + hashlib.sha256(str(SOURCE).encode()).hexdigest()[:12])
        folder.mkdir(exist_ok=True, mode=0o755)
        LINK.symlink_to(folder)
    return LINK.resolve()


def lock(folder):
    """One quickstart at a time works on a folder."""
    handle = open(folder / "lock", "w", encoding="ascii")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotGoOn("another deploy/quickstart is at work here") from None
    return handle


def require_free_ports(stack):
    """Ports were chosen at the first run; meanwhile somebody else may have taken one."""
    owners = {"provisiond": "provisiond", "feedd": "feedd", "dns": "pdns"}
    for name, port in stack.ports.items():
        daemon = owners.get(name, name.removeprefix("observe-"))
        running = stack.daemons.get(daemon) and stack.daemons[daemon].pid()
        if not running and not port_is_free(port):
            raise CannotGoOn(f"port {port} on 127.0.0.1 (for {name}) is taken by another process: stop that one, choose another with "
                             f"--dns-port, or remove {stack.folder}/config/ports.json for new free ports")


def stop_outdated(stack):
    """A daemon whose binary was built after it started is started anew."""
    for name in ("provisiond", "signerd", "feedd", "replicad"):
        daemon = stack.daemons[name]
        built = BUILD / "bin" / f"idzone-{name}"
        if daemon.pid() and built.stat().st_mtime > daemon.pid_file.stat().st_mtime:
            daemon.stop()
    module = BUILD / "lib" / "libidentitybackend.so"
    if stack.pdns.pid() and module.stat().st_mtime > stack.pdns.pid_file.stat().st_mtime:
        stack.pdns.stop()


def make_device_file(stack, count):
    """The factory's list: id and certificate, as CSV. Made once, so that a second run enrolls the same devices."""
    from .devices import make_devices

    path = stack.folder / "devices" / f"devices-{count}.csv"
    if path.exists():
        return path, False
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    with open(unfinished, "w", encoding="ascii", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["id", "certificate"])
        for device in make_devices(count):
            writer.writerow([device.id, device.certificate.decode()])
    unfinished.rename(path)
    return path, True


def run(options):
    folder = state_folder()
    locked = lock(folder)  # noqa: F841 # held until the process ends
    report = Report([(name, float(seconds)) for name, seconds in (step.split("=") for step in options.step)])
    stack = None
    try:
        with report.step("set up") as step:
            stack = Stack(folder, BUILD, {"dns": options.dns_port} if options.dns_port else None)
            stack.declare()
            require_free_ports(stack)
            stop_outdated(stack)
            stack.create()
            step.note = f"PostgreSQL, CA, certificates, migrations in {LINK}"
        with report.step("start") as step:
            stack.start()
            stack.add_principals()
            step.note = f"DNS on 127.0.0.1:{stack.ports['dns']}, gRPC on localhost:{stack.ports['provisiond']}"
        with report.step("make certificates") as step:
            devices, made = make_device_file(stack, options.devices)
            step.note = f"{options.devices} devices in {devices}" if made else "those of the first run"
        showcase.show(stack, devices, report)
        report.facts.update(dns_port=stack.ports["dns"], provisioning_port=stack.ports["provisiond"], folder=str(folder))
    except (CannotGoOn, CommandFailed, RuntimeError, OSError, TimeoutError) as failure:
        report.failure = str(failure)
        print(coloured(f"quickstart: {failure}", "red"), file=sys.stderr)
    finally:
        if options.once and stack is not None:
            with report.step("stop"):
                stack.stop()
        report.write(folder / "report.json")
    finish(stack, report, options)
    return 0 if report.passed else 1


def finish(stack, report, options):
    held = sum(check["held"] for check in report.checks)
    print()
    print(coloured(f"{held} of {len(report.checks)} checks held", "green" if report.passed else "red") +
          f" in {sum(step['seconds'] for step in report.steps):.1f} s; report: {LINK / 'report.json'}")
    if report.passed and not options.once:
        showcase.print_next(stack)


def status(_):
    stack = Stack(LINK.resolve(), BUILD)
    stack.declare()
    all_ready = True
    for name, daemon in stack.daemons.items():
        pid = daemon.pid()
        ready = bool(pid) and daemon.is_ready()
        all_ready = all_ready and ready
        print(f"{name:<12} {f'pid {pid}' if pid else 'not running':<14} " + (coloured("ready", "green") if ready else coloured("not ready", "red")))
    if all_ready:
        print(stack.cli("zone", "list").stdout, end="")
        showcase.print_next(stack)
    return 0 if all_ready else 1


def stop(_):
    stack = Stack(LINK.resolve(), BUILD)
    stack.declare()
    stack.stop()
    print("stopped")
    return 0


def main():
    parser = argparse.ArgumentParser(prog="deploy/quickstart")
    parser.add_argument("action", nargs="?", choices=["status", "stop"])
    parser.add_argument("--once", action="store_true", help="stop everything at the end")
    parser.add_argument("--devices", type=int, default=DEVICES, metavar="N")
    parser.add_argument("--dns-port", type=int, metavar="PORT")
    parser.add_argument("--step", action="append", default=[], help=argparse.SUPPRESS)
    options = parser.parse_args()
    try:
        return {"status": status, "stop": stop, None: run}[options.action](options)
    except (CannotGoOn, RuntimeError) as failure:
        print(coloured(f"quickstart: {failure}", "red"), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; deploy/quickstart goes on where it was, deploy/quickstart stop ends what runs", file=sys.stderr)
        return 130


if __name__ == "__main__":
    os.chdir(SOURCE)
    sys.exit(main())
