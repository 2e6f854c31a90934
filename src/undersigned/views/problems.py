"""The problems that views can report."""

from undersigned.core.errors import Problem

NO_SUCH_EPISODE = Problem(
    "E-VIW-001",
    "an episode that the plan does not have",
    "Nothing can be shown of it; the episodes of a plan are numbered from 0.",
    "undersigned report DOSSIER --episode 0, or any number up to {last}",
)
OTHER_ROWS = Problem(
    "E-VIW-002",
    "graded episodes that are not those of this dossier",
    "Links from numbers to episodes would lead to episodes that the numbers are not about.",
    "undersigned verify DOSSIER --trust TRUST, which grades the episodes again",
)

ALL = (NO_SUCH_EPISODE, OTHER_ROWS)
