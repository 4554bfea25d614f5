# SPDX-License-Identifier: MIT
import pathlib
import re
import sys
import zlib

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from idzone_stack import TestStack  # noqa: E402

# Sizes of the tests that grow: what tests/run uses, and what the issue demands (--full).
SIZES = {
    "devices": (1200, 1200),
    "validated_queries": (2000, 10000),
    "reimported": (2000, 10000),
    "absent_names": (1000, 1000),
    "hot_revocations": (100, 1000),
}


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="the sizes of the acceptance, not the daily ones")


@pytest.fixture(scope="session")
def sizes(request):
    return {name: pair[request.config.getoption("--full")] for name, pair in SIZES.items()}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Tells the stacks of a test that it failed, so that they keep their logs."""
    report = (yield).get_result()
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            value = getattr(value, "stack", value)  # what stands beside a stack
            if isinstance(value, TestStack):
                value.failed = True


@pytest.fixture(scope="session")
def stack(worker_id):
    """One whole stack for all tests that leave it running. Each test uses a namespace of its own."""
    shared = TestStack(f"shared-{worker_id}").open()
    yield shared
    shared.close()


@pytest.fixture
def own_stack(request):
    """A stack for a test that breaks it."""
    private = TestStack(re.sub(r"\W+", "_", request.node.name)).open()
    yield private
    private.close()


@pytest.fixture
def namespace(stack, request):
    """An empty namespace of the shared stack: a tree of width 1 in one zone, so that it has empty non-terminals; named after the test."""
    label = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:40].strip("-")
    name = f"_device.{label}-{zlib.crc32(request.node.nodeid.encode()):08x}.example."
    stack.create_old_tree(name)
    return name
