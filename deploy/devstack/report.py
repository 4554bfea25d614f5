# SPDX-License-Identifier: MIT
"""What the quickstart says while it works, and the same for machines: steps with their seconds, checks that held or not."""
import contextlib
import json
import sys
import time

COLOURS = {"bold": "1", "green": "32", "red": "31", "dim": "2"} if sys.stdout.isatty() else {}


def coloured(text, colour):
    return f"\033[{COLOURS[colour]}m{text}\033[0m" if colour in COLOURS else text


class Report:
    def __init__(self, earlier_steps=()):
        self.begun = time.time()
        self.steps = [{"name": name, "seconds": seconds} for name, seconds in earlier_steps]
        self.checks = []
        self.facts = {}
        self.failure = None
        self.line_open = False  # a step's name stands on the line, its "done" is still to come

    @contextlib.contextmanager
    def step(self, name):
        """Times a step. The body may set `.note` of what it is given, shown at the end of the line."""
        print(coloured(f"{name:<28}", "bold"), end="", flush=True)
        self.line_open = True
        entry = {"name": name}
        note = type("Note", (), {"note": ""})()
        begun = time.monotonic()
        try:
            yield note
        except BaseException:
            self.end_step(name, coloured("failed", "red"))
            raise
        entry["seconds"] = round(time.monotonic() - begun, 2)
        self.steps.append(entry)
        self.end_step(name, (coloured("done", "green") + f" {entry['seconds']:8.2f} s  " + coloured(note.note, "dim")).rstrip())

    def end_step(self, name, outcome):
        """Ends the step's line, or begins another one when checks were printed below it."""
        print(outcome if self.line_open else f"{name:<28}" + outcome)
        self.line_open = False

    def check(self, name, held, detail=""):
        """Records a fact that was looked at; goes on either way, so that the report has all of them."""
        self.checks.append({"name": name, "held": bool(held), "detail": str(detail)[:2000]})
        if self.line_open:
            print()
            self.line_open = False
        print("  " + (coloured("✓", "green") if held else coloured("✗", "red")) + f" {name}" + ("" if held else f": {str(detail)[:600]}"))

    @property
    def passed(self):
        return self.failure is None and bool(self.checks) and all(check["held"] for check in self.checks)

    def write(self, path):
        path.write_text(json.dumps({
            "passed": self.passed, "failure": self.failure, "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.begun)),
            "seconds": round(sum(step["seconds"] for step in self.steps), 2), "steps": self.steps, "checks": self.checks, **self.facts,
        }, indent=2) + "\n")
