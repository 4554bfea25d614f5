# SPDX-License-Identifier: MIT
"""BIND 9: served from memory; published with dnssec-policy, each update synced to the journal before it is acknowledged."""
import content
from peers.server import Server

OPTIONS = """
options {{
  directory "{folder}/data"; pid-file "{folder}/run/named.pid"; session-keyfile none; managed-keys-directory "{folder}/data";
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; minimal-responses yes; notify no; dnssec-validation no; querylog no; allow-transfer {{ 127.0.0.1; }};
  tcp-clients 100; check-integrity no; masterfile-format text;
}};
controls {{ }};
logging {{ category default {{ null; }}; }};
"""
POLICY = """
dnssec-policy "bench" {{
  keys {{ csk lifetime unlimited algorithm ecdsap256sha256; }};
  nsec3param iterations 0 optout no salt-length 0;
}};
zone "{zone}" {{
  type primary; file "zone"; key-directory "{folder}/data"; dnssec-policy "bench"; allow-update {{ 127.0.0.1; }};
  max-journal-size 1g;
}};
"""


class Bind9(Server):
    name = "bind9"
    preloaded = "in a zone file that dnssec-signzone signed with the server's own key and policy"

    @classmethod
    def serving(cls, zones):
        self = cls()
        content.copy_for(self.account, zones.file, self.folder / "data" / "zone")
        config = self.write("named.conf", OPTIONS.format(folder=self.folder, port=self.port) +
                            f'zone "{content.ZONE}" {{ type primary; file "zone"; }};\n')
        return self._declare(["named", "-f", "-c", config, "-n", "1"], pinned=True)

    @classmethod
    def publishing(cls, owners):
        """Signed beforehand with the policy's own key: named takes it over, and needs not sign name by name."""
        self = cls()
        data = self.folder / "data"
        config = self.write("named.conf", OPTIONS.format(folder=self.folder, port=self.port) +
                            POLICY.format(folder=self.folder, zone=content.ZONE))
        content.write(data / "plain", owners)
        content.run("dnssec-keygen", "-q", "-K", data, "-k", "bench", "-l", config, content.ZONE)
        content.run("dnssec-signzone", "-S", "-z", "-P", "-K", data, "-3", "-", "-H", "0", "-o", content.ZONE, "-f", data / "zone", data / "plain", cwd=data)
        return self._declare(["named", "-f", "-c", config], pinned=False)
