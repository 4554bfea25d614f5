# SPDX-License-Identifier: MIT
"""Ways to spoil the files of a replica. Each takes the folder and a source of randomness."""
import os

PAGE = 4096
FLIPS = 8  # pages a time: most pages of a small replica are free or say what others say too


def _open_pages(folder):
    file = os.open(folder / "data.mdb", os.O_RDWR)
    return file, max(1, os.fstat(file).st_size // PAGE)


def flip_pages(folder, source):
    """Bits, whole pages of zeros or of noise, and pages that change places."""
    file, pages = _open_pages(folder)
    try:
        for _ in range(FLIPS):
            page = source.randrange(pages)
            octets = bytearray(os.pread(file, PAGE, page * PAGE)) or bytearray(1)  # a file of the last fault, not yet made anew
            choice = source.random()
            if choice < 0.6:
                octets[source.randrange(len(octets))] ^= 1 << source.randrange(8)
            elif choice < 0.75:
                octets[:] = bytes(len(octets))
            elif choice < 0.9:
                octets[:] = source.randbytes(len(octets))
            else:
                other = source.randrange(pages)
                swapped = os.pread(file, PAGE, other * PAGE)
                os.pwrite(file, octets, other * PAGE)
                octets = swapped
            os.pwrite(file, octets, page * PAGE)
    finally:
        os.close(file)


def truncate(folder, source):
    file, pages = _open_pages(folder)
    try:
        os.ftruncate(file, source.choice((0, source.randrange(pages * PAGE), source.randrange(pages) * PAGE)))
    finally:
        os.close(file)


def delete(folder, source):
    for name in source.choice((("data.mdb",), ("data.mdb", "lock.mdb"))):
        (folder / name).unlink(missing_ok=True)


def spoil_lock(folder, source):
    """The lock file, emptied, deleted or overwritten: what it holds is worth nothing once all are stopped."""
    path = folder / "lock.mdb"
    choice = source.random()
    if choice < 0.3:
        path.unlink()
    elif choice < 0.6:
        os.truncate(path, source.randrange(path.stat().st_size))
    else:
        octets = bytearray(path.read_bytes())
        octets[:64] = source.randbytes(64)
        path.write_bytes(octets)


# Name: its share of a full run's thousand, and what it does.
DAMAGES = {
    "flip_stopped": (330, flip_pages),
    "flip_live": (330, flip_pages),
    "truncate_stopped": (100, truncate),
    "truncate_live": (100, truncate),
    "delete_stopped": (50, delete),
    "delete_live": (50, delete),
    "lock_stopped": (40, spoil_lock),
}
