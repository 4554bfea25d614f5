# SPDX-License-Identifier: MIT
"""Questions for a server, asked by dnsperf from the other core, DO set in all."""
import os
import random
import re
import subprocess

import content

CLIENT_CORE = 1 if (os.cpu_count() or 1) > 1 else 0
QUESTIONS_MAX = 200_000
HOT_NAMES = 1000
EXPECTED = {"existing": "NOERROR", "absent": "NXDOMAIN", "nodata": "NOERROR", "hot": "NOERROR"}


def question_files(folder, layout, labels, rounds):
    """Writes one file for each kind of question and round; returns their paths by (kind, round). The order is random, the same
    in every run, and begins elsewhere in each round: else the second one would find the first one's answers in PowerDNS's caches."""
    dice = random.Random(3)
    owners = [content.owner(layout, label) for label in dice.sample(labels, min(len(labels), QUESTIONS_MAX))]
    absent = [content.owner(layout, f"no{dice.getrandbits(48):012x}") for _ in range(min(QUESTIONS_MAX, 10 * len(owners)))]
    hot = owners[:HOT_NAMES]
    questions = {"existing": (owners, "TLSA"), "absent": (absent, "TLSA"), "nodata": (owners, "SSHFP"),
                 "hot": ([dice.choice(hot) for _ in range(100_000)], "TLSA")}
    paths = {}
    for kind, (names, rr_type) in questions.items():
        for number in range(rounds):
            begin = len(names) * number // rounds
            path = paths[kind, number] = folder / f"{layout}.{kind}.{number}.queries"
            path.write_text("".join(f"{name} {rr_type}\n" for name in names[begin:] + names[:begin]))
    return paths


def ask(port, kind, path, seconds):
    """Returns how many answers came. Raises when answers are lost or are not what they must be."""
    command = ["taskset", "-c", str(CLIENT_CORE), "dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", str(path), "-D", "-c", "8", "-T", "1", "-q", "200",
               "-l", str(seconds)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    codes = dict(re.findall(r"(\w+) (\d+) \(", re.search(r"Response codes: +(.*)", said).group(1)))
    completed, lost = int(re.search(r"Queries completed: +(\d+)", said).group(1)), int(re.search(r"Queries lost: +(\d+)", said).group(1))
    right = int(codes.get(EXPECTED[kind], 0))
    if right < 0.999 * completed or lost > 0.001 * completed + 200:
        raise RuntimeError(f"{kind} questions: {completed} answers, {lost} lost, codes {codes}, expected {EXPECTED[kind]}")
    return completed
