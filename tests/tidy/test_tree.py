# SPDX-License-Identifier: MIT
"""Facts about the tree that reviewers should not have to check."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = {".h", ".cc", ".py", ".sh", ".sql", ".proto", ".cmake", ".yaml", ".conf", ".toml", ".service"}
TOP_LEVEL = {
    ".ci", ".clang-format", ".clang-tidy", ".gitignore", "CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "cli", "cmake",
    "deploy", "migrations", "proto", "services", "tests", "zone-signer",
}


def tracked():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / line for line in listed.splitlines()]


def is_program(path):
    return path.suffix == "" and path.read_bytes()[:2] == b"#!"


def test_every_source_names_its_licence():
    missing = []
    for path in tracked():
        if path.suffix in SOURCE or path.name == "CMakeLists.txt" or is_program(path):
            text = path.read_text()
            # Modules of PowerDNS are derivatives of it (services/nameserver/LICENSE).
            of_pdns = "services/nameserver/" in str(path) or '\n#include "pdns/' in text
            want = "GPL-2.0-only" if of_pdns else "MIT"
            if not any("SPDX-License-Identifier: " + want in line for line in text.splitlines()[:3]):
                missing.append(str(path.relative_to(ROOT)))
    assert not missing, "\n".join(missing)


def test_top_level_holds_what_was_agreed():
    tops = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert tops <= TOP_LEVEL, tops - TOP_LEVEL


def test_no_work_is_left_standing_in_the_text():
    banned = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    wrong = [str(p.relative_to(ROOT)) for p in tracked() if p.suffix in SOURCE and p.name != "test_tree.py" and banned.search(p.read_text())]
    assert not wrong, "\n".join(wrong)


def test_lines_end_cleanly():
    wrong = []
    for path in tracked():
        if path.suffix in SOURCE:
            text = path.read_text()
            if re.search(r"[ \t]$", text, re.M) or not text.endswith("\n"):
                wrong.append(str(path.relative_to(ROOT)))
    assert not wrong, "\n".join(wrong)


def test_sources_are_formatted():
    files = [str(p) for p in tracked() if p.suffix in (".h", ".cc")]
    done = subprocess.run(["clang-format", "--dry-run", "--Werror", *files], cwd=ROOT, capture_output=True, text=True)
    unformatted = sorted(set(re.findall(r"^([^:\n]+):\d+:\d+: error", done.stderr, re.M)))
    assert done.returncode == 0, "run clang-format -i on:\n" + "\n".join(unformatted)


def test_migrations_are_numbered_without_gaps():
    numbers = [int(p.name[:4]) for p in sorted((ROOT / "migrations").glob("[0-9]*.sql"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_allow_list_is_the_same_in_code_and_database():
    code = (ROOT / "services/core/dns/rr_type.h").read_text()
    numbers = {name: int(value) for name, value in re.findall(r"k(\w+) = (\d+)", code)}
    stored = {value for name, value in numbers.items() if name not in ("Rrsig", "Nsec", "Nsec3")}
    sql = (ROOT / "migrations/0002_published.sql").read_text()
    in_sql = {int(n) for n in re.search(r"value <@ '\{([\d,]+)\}'", sql).group(1).split(",")}
    assert in_sql == stored
