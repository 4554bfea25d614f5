#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Prints "PASSED FAILED" of a JUnit report. A program that failed without a failed test counts as one failure.

usage: count_results.py REPORT EXIT-CODE
"""
import sys
import xml.etree.ElementTree


def count(report, exit_code):
    try:
        cases = list(xml.etree.ElementTree.parse(report).getroot().iter("testcase"))
    except (OSError, xml.etree.ElementTree.ParseError):
        return 0, 1
    failed = sum(any(case.find(tag) is not None for tag in ("failure", "error")) for case in cases)
    skipped = sum(case.find("skipped") is not None for case in cases)
    if exit_code != 0 and failed == 0:
        failed = 1
    return len(cases) - failed - skipped, failed


if __name__ == "__main__":
    print(*count(sys.argv[1], int(sys.argv[2])))
