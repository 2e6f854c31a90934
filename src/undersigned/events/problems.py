"""The problems that the event stream can report."""

from undersigned.core.errors import Problem

NOT_AN_EPISODE = Problem(
    "E-EVT-001",
    "bytes that are not a whole episode",
    "An episode that is torn, reordered or rewritten cannot be graded or relied on.",
    "undersigned verify DOSSIER --trust FILE (it names the file; ask its maker for a whole copy)",
)

ALL = (NOT_AN_EPISODE,)
