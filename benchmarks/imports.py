"""What does a user wait for before anything happens?

CPU of a whole process, user and system, against that of the bare interpreter.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from benchmarks.measure import Probe, Row, Setup, child_cpu

RUNS = 7
IMPORT = ("-c", "import undersigned")
HELP = (
    "-c",
    (
        "import sys; sys.argv = ['', '--help']; "
        "from undersigned.cli.main import main; sys.exit(main())"
    ),
)
BARE = ("-c", "pass")


def _probe(setup: Setup, arguments: Sequence[str]) -> Probe:
    runs = setup.pick(3, RUNS)
    child_cpu(arguments)  # WHY: the first run may write bytecode

    def of(each: Sequence[str]) -> float:
        return median([child_cpu(each) for _ in range(runs)])

    return Probe(lambda: of(arguments), lambda: of(BARE))


ROWS = (
    Row("import", "import undersigned", "s CPU", "less", 0.10, "the bare interpreter",
        lambda setup: _probe(setup, IMPORT)),
    Row("help", "undersigned --help", "s CPU", "less", 0.25, "the bare interpreter",
        lambda setup: _probe(setup, HELP)),
)  # fmt: skip
