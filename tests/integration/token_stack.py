# SPDX-License-Identifier: MIT
"""A stack whose signer keeps its keys in a SoftHSM token."""
import os
import shutil
import subprocess

from rolling_stack import RollingStack

SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
LABEL, PIN = "zones", "271828"


class TokenStack(RollingStack):
    """`module` is SoftHSM's own, or "faulty": the one of tests/tools/faulty_token.cc before it."""

    def __init__(self, name, module=SOFTHSM):
        self.module = module
        super().__init__(name)

    def declare(self):
        self.tokens = self.folder / "token" / "tokens"
        if not self.tokens.exists():
            self._make_token()
        super().declare()
        self.settings.update(KEYS_PROVIDER="pkcs11", KEYS_DIRECTORY="", KEYS_KEK_FILE="", PKCS11_MODULE=str(self.module), PKCS11_TOKEN=LABEL,
                             PKCS11_PIN_FILE=str(self.pin_file))
        self.set_signer_clock(self.seconds_ago)
        return self

    def _make_token(self):
        self.tokens.mkdir(parents=True, mode=0o700)
        folder = self.tokens.parent
        self.pin_file, self.faults, self.configuration = folder / "pin", folder / "faults", folder / "softhsm2.conf"
        self.configuration.write_text(f"directories.tokendir = {self.tokens}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = true\n")
        self.pin_file.touch(mode=0o600)
        self.write_pin(PIN)
        if self.module == "faulty":
            self.module = folder / "libfaulty_token.so"
            shutil.copy2(self.build / "lib" / "libfaulty_token.so", self.module)
        self._as_user(["softhsm2-util", "--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", "31415926"])
        self.account.own(folder)

    def _as_user(self, command):
        return subprocess.run(command, env={**os.environ, "SOFTHSM2_CONF": str(self.configuration)}, capture_output=True, text=True,
                              check=True, timeout=60).stdout

    def set_signer_clock(self, seconds_ago):
        super().set_signer_clock(seconds_ago)
        if hasattr(self, "configuration"):
            self.signerd.environment.update(SOFTHSM2_CONF=str(self.configuration), FAULTY_TOKEN_FILE=str(self.faults))

    def write_pin(self, pin):
        self.pin_file.write_text(pin + "\n")

    def tell_fault(self, line):
        """What the faulty module does from now on; empty: nothing."""
        self.faults.write_text(line)
        self.account.own(self.faults)

    def take_token_away(self):
        self.tokens.rename(self.tokens.with_name("away"))

    def bring_token_back(self):
        self.tokens.with_name("away").rename(self.tokens)

    def token_keys(self):
        """{label: the lines that OpenSC's pkcs11-tool says of it} of the private keys in the token."""
        said = self._as_user(["pkcs11-tool", "--module", SOFTHSM, "--token-label", LABEL, "--login", "--pin", PIN, "--list-objects", "--type", "privkey"])
        keys = {}
        for text in said.split("Private Key Object")[1:]:
            fields = dict(line.strip().split(":", 1) for line in text.splitlines()[1:] if ":" in line)
            keys[fields["label"].strip()] = {name: value.strip() for name, value in fields.items()}
        self.account.own(self.tokens.parent)
        return keys
