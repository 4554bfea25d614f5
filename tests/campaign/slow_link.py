# SPDX-License-Identifier: MIT
"""A TCP relay in front of a server whose link can be made slow, silent or cut."""
import contextlib
import socket
import threading
import time


class SlowLink:
    """`octets_per_second` None: as fast as it goes. `silent`: what comes is kept back. `cut`: nobody gets through."""

    def __init__(self, port):
        self._target = port
        self.octets_per_second, self.silent, self._cut = None, False, False
        self._pairs, self._lock = set(), threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        self._cut = True
        with self._lock:
            for each in self._pairs:
                self._close(each)

    def heal(self):
        self.octets_per_second, self.silent, self._cut = None, False, False

    def close(self):
        self._listener.close()
        self.cut()

    @staticmethod
    def _close(each):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._cut:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._target), 2)
                far.settimeout(None)  # the time was for connecting only
            except OSError:
                near.close()
                continue
            with self._lock:
                self._pairs |= {near, far}
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._relay, args=(one, other), daemon=True).start()

    def _relay(self, source, sink):
        try:
            while octets := source.recv(4096 if self.octets_per_second else 65536):
                while self.silent and not self._cut:
                    time.sleep(0.05)
                sink.sendall(octets)
                if self.octets_per_second:
                    time.sleep(len(octets) / self.octets_per_second)
        except OSError:
            pass
        finally:
            self._close(source)
            self._close(sink)
            with self._lock:
                self._pairs -= {source, sink}
