"""How does a verb speak: data on standard output, talk on standard error, one JSON shape?

With ``--json`` a command prints exactly one object on standard output, in success and failure::

    {"data": ..., "errors": [...], "ok": true, "schema": "undersigned.cli.v1"}

Invariants:
- ``ok`` is true exactly when the exit code is 0, and the exit code does not depend on ``--json``.
- ``errors`` holds objects with code, what, fields, why, remedy (``undersigned explain CODE``).
- Colour only on a terminal, never with NO_COLOR (no-color.org) or TERM=dumb.
- What could not be written to standard output is an error, never silence.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal, TextIO

import click

from undersigned.cli.problems import OUTPUT_FAILED
from undersigned.core.errors import StorageError, UndersignedError

SCHEMA = "undersigned.cli.v1"

EXIT_CODES: Final = MappingProxyType(
    {
        0: "met, or done",
        1: "a limit is exceeded",
        2: "the command, a card or a setting is wrong",
        3: "evidence does not verify",
        4: "not decidable here or with this much data",
        5: "nothing selected",
        6: "access denied",
        70: "an error inside Undersigned, or storage failed",
        130: "interrupted; can be resumed where the verb offers it",
        141: "the reader of standard output went away",
    }
)
"""What each exit code means; scripts may rely on them."""

Colour = Literal["red", "green", "yellow", "cyan", "bright_black"]

json_option = click.option(
    "--json", "as_json", is_flag=True, help=f"Print one JSON object ({SCHEMA}) and nothing else."
)
"""The ``--json`` flag, on every verb, as the argument ``as_json``."""

quiet_option = click.option("--quiet", is_flag=True, help="Show no progress.")
"""The ``--quiet`` flag, on every verb that shows progress, as the argument ``quiet``."""


def emit(data: object, *, as_json: bool, text: str, exit_code: int = 0) -> int:
    """Print a verb's result in the form that was asked for, and return the exit code.

    data: what ``--json`` shows, within the canonical JSON profile (structs, no floats). text: the
    same for people. exit_code: 0 met, 1 limit exceeded, 3 does not verify, 4 not decidable.
    Raises UsageError (E-COR-001) for data outside the profile, StorageError (E-CLI-002) when
    standard output cannot be written.
    """
    if as_json:
        from undersigned.core.canonical import encode

        text = _envelope(encode(data).decode(), ok=exit_code == 0)
    write_out(text)
    return exit_code


def emit_error(error: UndersignedError, *, as_json: bool) -> int:
    """Print an error, as JSON on standard output or as text on standard error; return its code."""
    if as_json:
        write_out(_envelope("null", ok=False, errors=(error.as_dict(),)))
    else:
        head, _, rest = error.text().partition(": ")
        sys.stderr.write(f"{paint(head, 'red', sys.stderr)}: {rest}\n")
    return error.exit_code


def _envelope(data: str, *, ok: bool, errors: Sequence[Mapping[str, object]] = ()) -> str:
    # WHY escaped ASCII here: an error must print even when its text is no valid Unicode.
    listed = json.dumps(list(errors), sort_keys=True, separators=(",", ":"))
    word = "true" if ok else "false"
    return f'{{"data":{data},"errors":{listed},"ok":{word},"schema":"{SCHEMA}"}}'


def write_out(text: str) -> None:
    """Write a text and a line end to standard output, and flush.

    Raises StorageError (E-CLI-002) when it cannot be written whole; BrokenPipeError when its
    reader went away, which is no error of ours.
    """
    _guarded(lambda: sys.stdout.write(text if text.endswith("\n") else text + "\n"))
    flush_out()


def flush_out() -> None:
    """Hand everything printed so far to the system; raises like ``write_out``."""
    _guarded(sys.stdout.flush)


def output_failed(reason: object) -> StorageError:
    """Return the error for standard output that cannot be written (E-CLI-002)."""
    return StorageError(OUTPUT_FAILED, "the result could not be printed", reason=reason)


def _guarded(write: Callable[[], object]) -> None:
    try:
        write()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise output_failed(error.strerror) from error


def has_colour(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether colour may be written to a stream."""
    plain = environment.get("NO_COLOR") or environment.get("TERM") == "dumb"
    return not plain and stream.isatty()


def paint(text: str, colour: Colour, stream: TextIO | None = None) -> str:
    """Return the text in a colour where the stream (default standard output) shows colour."""
    return click.style(text, fg=colour) if has_colour(stream or sys.stdout) else text
