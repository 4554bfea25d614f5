# SPDX-License-Identifier: MIT
"""Who may include whom: the pipeline's direction, read off the #include lines (README, "Allowed includes")."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Longest prefix wins: folder -> the project folders that its files may include. `proto` stands for generated headers.
ALLOWED = {
    "services/core/base": {"services/core/base"},
    "services/core/dns": {"services/core/base", "services/core/dns"},
    "services/core/identity": {"services/core/base", "services/core/identity"},
    "services/core/records": {"services/core/base", "services/core/identity", "services/core/dns", "services/core/records"},
    "services/core/zone": {"services/core"},
    "services/process": {"services/process", "services/core/base"},
    "services/sealing": {"services/sealing", "services/core/base"},
    "services/store": {"services/store", "services/core"},
    "services/rpc": {"services/rpc", "services/core", "services/process", "proto"},
    "services/provisioning": {"services/provisioning", "services/rpc", "services/store", "services/sealing", "services/core", "services/process", "proto"},
    "services/feed": {"services/feed", "services/rpc", "services/store", "services/core", "services/process", "proto"},
    "services/replica": {"services/replica", "services/transfer", "services/core", "services/rpc", "services/process", "proto"},
    "services/transfer": {"services/transfer", "services/replica", "services/sealing", "services/core", "services/process"},
    "services/nameserver": {"services/nameserver", "services/replica", "services/sealing", "services/core"},
    "services/verifier": {"services/verifier", "services/core"},
    "zone-signer": {"zone-signer", "services/store", "services/sealing", "services/core", "services/process"},
    "zone-signer/rollover": {"zone-signer/rollover", "services/core"},
    # What an external parent publishes is believed as a relying party believes it.
    "zone-signer/parent": {"zone-signer/parent", "services/verifier", "services/core"},
    "cli": {"cli", "services/rpc", "services/verifier", "services/store", "services/core", "services/process", "proto"},
}

# Single files that know more than their folder, each with its reason.
ALLOWED_FILES = {
    # The one command that works on the database: it runs the migration engine.
    ("cli", "services/store"): re.compile(r"^cli/commands/migrate\w*\.(cc|h)$"),
    # The replica's format, reader and writer are linked into the name server: only the follower knows rpc and proto.
    ("services/replica", "services/rpc"): re.compile(r"^services/replica/(follower\w*|main|link\w*)\.(cc|h)$"),
    ("services/replica", "services/process"): re.compile(r"^services/replica/(edge_metrics|follower\w*|main|link\w*)\.(cc|h)$"),
    ("services/replica", "proto"): re.compile(r"^services/replica/(follower\w*|main|link\w*)\.(cc|h)$"),
    # A transfer host's replicad also serves its secondaries.
    ("services/replica", "services/transfer"): re.compile(r"^services/replica/main\.cc$"),
    ("services/transfer", "services/replica"): re.compile(r"^services/transfer/secondary_service\.cc$"),
    # A name server reads: it must not even be able to write.
    ("services/nameserver", "services/replica"): re.compile(r"^services/nameserver/"),
    # A transfer host's TSIG keys lie in a private file.
    ("services/nameserver", "services/sealing"): re.compile(r"^services/nameserver/transfer_keys\.cc$"),
}

# Third-party headers that stay with their owners.
OWNERS = {
    "pqxx/": ["services/store"],
    "libpq": ["services/store"],
    "ldns/": ["services/core/dns"],
    "lmdb.h": ["services/replica"],
    "grpcpp/": ["services/rpc", "services/provisioning", "services/feed", "services/replica", "cli"],
    "google/protobuf/": ["services/rpc", "services/provisioning", "services/feed", "services/replica", "cli"],
    "pdns/": ["services/nameserver"],
    "unbound.h": ["services/verifier"],
    "openssl/": ["services/core", "services/rpc", "services/sealing", "zone-signer/keys", "cli", "services/verifier"],
    "p11-kit/": ["zone-signer/keys/token"],
    "toml.hpp": ["services/process", "cli"],
    "spdlog/": ["services/process"],
    "httplib.h": ["services/process"],
    "CLI/": ["cli"],
}

# `core` is pure: no sockets, threads, wall clock or files.
CORE_BANNED = re.compile(r"<(thread|mutex|fstream|iostream|filesystem|sys/socket\.h|ctime|condition_variable)>")

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^">]+)[">]', re.M)


def sources():
    for top in ("services", "zone-signer", "cli"):
        yield from (p for p in (ROOT / top).rglob("*") if p.suffix in (".h", ".cc"))


def folder_rule(relative):
    matches = [folder for folder in ALLOWED if relative.startswith(folder + "/")]
    assert matches, f"{relative} lies in a folder without a rule: add it to ALLOWED on purpose"
    return max(matches, key=len)


def allowed_target(relative, target):
    folder = folder_rule(relative)
    for prefix in sorted(ALLOWED[folder], key=len, reverse=True):
        if target.startswith(prefix + "/") or (prefix == "proto" and target.startswith("idzone/")):
            exception = ALLOWED_FILES.get((folder, prefix))
            return exception is None or bool(exception.match(relative))
    return False


def test_includes_follow_the_pipeline():
    wrong = []
    for path in sources():
        relative = str(path.relative_to(ROOT))
        for bracket, target in INCLUDE.findall(path.read_text()):
            ours = target.startswith(("services/", "zone-signer/", "cli/", "tests/", "idzone/"))
            if ours and not allowed_target(relative, target):
                wrong.append(f"{relative} includes {target}")
            if not ours and bracket == '"':
                if folder_rule(relative) != "services/nameserver":
                    wrong.append(f"{relative}: {target} is neither ours nor in angle brackets")
    assert not wrong, "\n".join(wrong)


def test_third_party_headers_stay_with_their_owner():
    wrong = []
    for path in sources():
        relative = str(path.relative_to(ROOT))
        for _, target in INCLUDE.findall(path.read_text()):
            for header, owners in OWNERS.items():
                if target.startswith(header) and not relative.startswith(tuple(o + "/" for o in owners)):
                    wrong.append(f"{relative} includes {target}, which belongs to {', '.join(owners)}")
    assert not wrong, "\n".join(wrong)


def test_core_is_pure():
    wrong = [str(p.relative_to(ROOT)) for p in (ROOT / "services/core").rglob("*.[hc]*") if CORE_BANNED.search(p.read_text())]
    assert not wrong, "core reads no clock, opens no file and starts no thread: " + ", ".join(wrong)


def test_ldns_stays_in_its_bridge_files():
    bridges = {str(p.relative_to(ROOT)) for p in sources() if re.search(r"#\s*include\s*<ldns/", p.read_text())}
    assert bridges == {"services/core/dns/presentation.cc", "services/core/dns/signature_check.cc"}
