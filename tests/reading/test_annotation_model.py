"""Highlights, notes and bookmarks of five readers that are offline, lose, repeat, delay and reorder messages, are reset
and copied, and have wrong clocks. The exchange alone, on values; `test_annotation_house.py` has it with a database."""

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.reading.annotation_machine import Readers

STEPS = 50


def _settings(runs: int) -> settings:
    return settings(
        max_examples=runs, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck)
    )


class Few(Readers):
    pass


class Many(Readers):
    pass


class Nightly(Readers):
    pass


TestFew = Few.TestCase
TestFew.settings = _settings(60)

TestMany = pytest.mark.slow(Many.TestCase)
TestMany.settings = _settings(2_000)

TestNightly = pytest.mark.nightly(Nightly.TestCase)
TestNightly.settings = _settings(int(os.environ.get("BOOKWAKE_TEST_RUNS", 100_000)))
