"""What the demos' tests share: a stage of their own each, whose programs have the last word where a test fails."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Examples/Kit"))

from stage import Stage  # noqa: E402


@pytest.fixture
def stage(request):
    """A test module says in DEMO which demo it is about."""
    with Stage(request.module.DEMO, tells=False) as stage:
        yield stage


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    stage = getattr(item, "funcargs", {}).get("stage")
    if outcome.get_result().failed and stage is not None:
        outcome.get_result().sections.append(("what the programs said", stage.story()))
