"""What every test may use."""

import atexit
import os
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
"""The project's real books and captures, beside the checkout where its developers work; absent elsewhere."""


# Where Python is told to keep nothing of what it compiles, each of the many programs that tests start would compile
# everything again, which takes it as long as all the rest of its start. Set before workers start, so they share it.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
    _bytecode = tempfile.TemporaryDirectory(prefix="bookwake-bytecode-", ignore_cleanup_errors=True)
    atexit.register(_bytecode.cleanup)
    os.environ["PYTHONPYCACHEPREFIX"] = _bytecode.name

# No test asserts a time: the machine may be a small or a busy one.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def shared() -> Path:
    """`SHARED`, for a test that has nothing to do without it."""
    if not SHARED.is_dir():
        pytest.skip("needs the developers' corpus in ../shared")
    return SHARED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, so that none of them is left for one process when the others are done."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    # An expected failure (xfail) is reported as skipped too.
    return report if hasattr(report, "wasxfail") else refuse_skip_in_ci(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return refuse_skip_in_ci((yield))


def refuse_skip_in_ci(report: Report) -> Report:
    """In CI nothing may be missing, so what was skipped has failed."""
    if os.environ.get("CI") == "true" and report.outcome == "skipped":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: {reason} (in CI a skip is a failure)"
    return report
