"""What every test may rely on, however the test run itself was started."""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "house",
    # WHY no deadline: how long an example takes is the machine's affair, not the code's
    deadline=None,
    # WHY not too_slow either: on a busy machine it only says that the machine is busy
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("house")


def pytest_configure() -> None:
    """Take the interrupt signal back where a shell ignores it for jobs in the background.

    A signal that is ignored stays ignored in the programs that tests start, and an interrupt would
    then never reach them.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how to repeat a random order. WHY here: in a quiet run no heading is printed."""
    if config.pluginmanager.hasplugin("randomly"):
        seed = config.getoption("randomly_seed")
        terminalreporter.write_line(f"in random order; again: -p randomly --randomly-seed={seed}")
