# SPDX-License-Identifier: MIT
"""Files that somebody may be reading while they are written."""
import os
import pathlib
import tempfile


def write_whole(path, text, mode=0o644):
    """Whoever opens `path` finds the text before or this one, never a part and never nothing."""
    path = pathlib.Path(path)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name, delete=False) as unfinished:
        unfinished.write(text)
        os.fchmod(unfinished.fileno(), mode)
    os.replace(unfinished.name, path)
