"""Was this made by the program under its former name?

Formats bear the program's name, in a schema, a predicate type or a file's first line, so what was
made before the name changed is told by its mark alone. This is the only module that knows the
former name.

Refuses to read, verify or convert anything, and to say who is at fault: nobody is.

Invariants:
- Only a mark that the former program wrote is recognised, letter by letter; any other, also one
  that merely resembles it, is left to whoever reads the thing.
- What is recognised cannot be decided here (exit code 4). It never fails and never holds.
- A caller has read the mark within the limits of its own format before it asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from undersigned.core.errors import Problem, UndecidableError
from undersigned.evidence.problems import FORMER_EVIDENCE, FORMER_LOG, FORMER_TRUST

NAME: Final = "Answerable"
"""The former name."""

VERSION: Final = "0.1.0"
"""The only version that bore it."""

HOME_VARIABLE: Final = "ANSWERABLE_HOME"
"""The variable that named its home folder."""

HOME_FOLDER: Final = "answerable"
"""Its home folder's name in the data folder of a user."""

MARKS: Final[Mapping[str, Problem]] = {
    "answerable.dossier.v1": FORMER_EVIDENCE,
    "urn:answerable:predicate:prereg:v1": FORMER_EVIDENCE,
    "urn:answerable:predicate:eval-result:v1": FORMER_EVIDENCE,
    "urn:answerable:predicate:abandoned:v1": FORMER_EVIDENCE,
    "answerable.trust.v1": FORMER_TRUST,
    "answerable.journal.v1": FORMER_LOG,
}
"""What is recognised, and as what: schemas, predicate types, and the first line of a journal."""


def refuse_former(mark: str | bytes, path: object) -> None:
    """Refuse what bears a mark of the former program; return for any other mark.

    mark: schema, predicate type, or the first bytes of a file, of which the first line counts.
    path: of what bears it, for the error. Raises UndecidableError (E-EVD-090 evidence, E-EVD-091
    trust file, E-EVD-092 log).
    """
    if isinstance(mark, bytes):
        mark = mark.partition(b"\n")[0].decode(errors="replace")
    problem = MARKS.get(mark)
    if problem is not None:
        what = "made by this program under its former name; this version cannot verify it"
        raise UndecidableError(problem, what, made_by=f"{NAME} {VERSION}", path=path)
