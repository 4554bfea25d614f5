# SPDX-License-Identifier: MIT
"""Where the pages of a replica's file are: in which tree, free, or seen by whom. Read with LMDB's own mdb_stat, while others use it."""
import re
import subprocess
import typing


class Pages(typing.NamedTuple):
    used: int  # the file's, of all that it ever used
    free: int  # by the list of free pages; those of commits that a reader can see are among them
    list: int  # that this list itself takes
    trees: dict  # name -> {"branch", "leaf", "overflow", "entries"}
    last_commit: int
    reader_lags: dict  # pid -> how many commits ago the oldest snapshot was taken that it holds; only who holds one

    @property
    def data(self):
        """Pages that hold something now."""
        return sum(tree["branch"] + tree["leaf"] + tree["overflow"] for tree in self.trees.values())

    def told(self):
        """For a campaign's JSON: short."""
        return {"used": self.used, "data": self.data, "free": self.free, "list": self.list, "commit": self.last_commit, "lag": max(self.reader_lags.values(), default=0),
                **{name: tree["branch"] + tree["leaf"] + tree["overflow"] for name, tree in self.trees.items() if tree["entries"]}}


def read_pages(folder):
    """Returns the Pages of the replica in a folder."""
    # It prints what was asked for and exits 1 when readers were asked for, always.
    said = subprocess.run(["mdb_stat", "-efar", folder], capture_output=True, text=True, check=False).stdout
    sections = re.split(r"^(Environment Info|Reader Table Status|Freelist Status|Status of .+)$", said, flags=re.MULTILINE)
    named = dict(zip(sections[1::2], sections[2::2]))

    def figure(section, name):
        return int(re.search(rf"{name}: (\d+)", named[section]).group(1))

    trees = {section.removeprefix("Status of "): {key: figure(section, name) for key, name in (
        ("branch", "Branch pages"), ("leaf", "Leaf pages"), ("overflow", "Overflow pages"), ("entries", "Entries"))}
        for section in named if section.startswith("Status of ")}
    last = figure("Environment Info", "Last transaction ID")
    lags = {}
    for pid, commit in re.findall(r"^\s*(\d+)\s+[0-9a-f]+\s+(\d+)$", named.get("Reader Table Status", ""), re.MULTILINE):
        lags[int(pid)] = max(lags.get(int(pid), 0), last - int(commit))
    listing = sum(figure("Freelist Status", name) for name in ("Branch pages", "Leaf pages", "Overflow pages"))
    return Pages(figure("Environment Info", "Number of pages used"), figure("Freelist Status", "Free pages"), listing, trees, last, lags)
