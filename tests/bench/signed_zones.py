# SPDX-License-Identifier: MIT
"""Signed zones, and what servers make of them before they serve, kept below build/bench: a million names take minutes to
sign, and as long again to load into a database. dnssec-signzone makes them, nobody's peer alone: one P-256 key a zone, NSEC3
without salt or iterations.

With layout `tree` each prefix is a zone of its own, as it is for ours: 256 of them below the namespace's.
"""
import multiprocessing
import shutil
import time

import content
import factory

# Signatures last thirty days.
KEPT_SECONDS = 10 * 24 * 3600


class SignedZones:
    """`files`: (apex, master file) of each zone, parents before what is below them. `folder`: where things are kept."""

    def __init__(self, folder, files):
        self.folder, self.files = folder, files

    @property
    def file(self):
        """The one zone's. The peers serve one."""
        (_, file), = self.files
        return file

    def kept(self, name, make):
        """Returns the folder of that name beside the zones; `make` fills it, unless that was done in an earlier run."""
        target, unfinished = self.folder / name, self.folder / f"{name}.unfinished"
        if not target.exists():
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(target)
        return target


def signed(layout, labels):
    """Returns the zones of the owners that these labels have."""
    folder = factory.CACHE / "zones" / f"{layout}-{len(labels)}"
    done = folder / "done"
    if not done.exists() or time.time() - done.stat().st_mtime > KEPT_SECONDS:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _sign_all(folder, _owners_by_zone(layout, labels))
        done.touch()
    return SignedZones(folder, [(apex, folder / f"{apex}signed") for apex in sorted(_apexes(layout), key=len)])


def _apexes(layout):
    return [content.ZONE] if layout == "flat" else [content.ZONE, *(f"{number:0{content.TREE_WIDTH}x}.{content.ZONE}" for number in range(16 ** content.TREE_WIDTH))]


def _owners_by_zone(layout, labels):
    owners = {apex: [] for apex in _apexes(layout)}
    for label in labels:
        owner = content.owner(layout, label)
        owners[content.ZONE if layout == "flat" else owner.split(".", 1)[1]].append(owner)
    return owners


def _sign_all(folder, owners):
    """Children first: their DS records go into the parent."""
    cuts = [apex for apex in owners if apex != content.ZONE]
    with multiprocessing.get_context("spawn").Pool() as pool:
        pool.starmap(_sign, [(folder, apex, owners[apex], []) for apex in cuts], chunksize=1)
    _sign(folder, content.ZONE, owners[content.ZONE], cuts)


def _sign(folder, apex, owners, cuts):
    plain = content.write(folder / f"{apex}plain", owners, apex, cuts)
    content.run("dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-f", "KSK", "-K", folder, apex)
    # -P: it would verify each signature, which takes longer than to make them.
    content.run("dnssec-signzone", "-S", "-z", "-P", "-g", "-K", folder, "-d", folder, "-3", "-", "-H", "0", "-O", "full", "-o", apex,
                "-f", folder / f"{apex}signed", plain, cwd=folder)
    plain.unlink()
