# SPDX-License-Identifier: MIT
"""Who the daemons run as: PostgreSQL refuses root, and nothing else needs it either."""
import os
import pathlib
import pwd
import stat


class Account:
    """The caller's own account, or `postgres` (made by the distribution's package) when the caller is root."""

    def __init__(self):
        self.is_root = os.geteuid() == 0
        if self.is_root:
            try:
                entry = pwd.getpwnam("postgres")
            except KeyError:
                raise RuntimeError("running as root needs the account `postgres`, which the package postgresql makes") from None
            self.uid, self.gid, self.name = entry.pw_uid, entry.pw_gid, entry.pw_name
        else:
            self.uid, self.gid = os.geteuid(), os.getegid()
            self.name = pwd.getpwuid(self.uid).pw_name

    def command(self, *arguments):
        """The command line that runs another one as the account, in the same process. Not subprocess's `user`: with it, Python forks,
        and a fork amid gRPC's threads has ended a test run by an abort; without it, Python starts children by vfork."""
        if not self.is_root:
            return [*arguments]
        return ["setpriv", f"--reuid={self.uid}", f"--regid={self.gid}", f"--groups={self.gid}", "--", *arguments]

    def own(self, *paths):
        """Hands files and folders, with all that is in them, to the account."""
        if not self.is_root:
            return
        for path in map(pathlib.Path, paths):
            os.chown(path, self.uid, self.gid)
            if path.is_dir():
                for inner in path.rglob("*"):
                    os.chown(inner, self.uid, self.gid, follow_symlinks=False)

    def can_reach(self, path):
        """Whether the account may enter every folder above `path` (a clone below /root is out of its reach)."""
        if not self.is_root:
            return True
        for folder in pathlib.Path(path).resolve().parents:
            mode = folder.stat()
            if mode.st_uid == self.uid and mode.st_mode & stat.S_IXUSR:
                continue
            if not mode.st_mode & stat.S_IXOTH:
                return False
        return True
