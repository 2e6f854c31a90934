"""What did the user ask for, which verb answers, and how do failures leave the program?

The verbs are files beside this one (``verbs``), imported only when they run. ``main`` is the one
place where errors become exit codes; exit codes are API (``output.EXIT_CODES``).

Invariants:
- Every failure is one error in one shape, as text or, with ``--json``, as one JSON object.
- A trace is shown only with UNDERSIGNED_DEBUG=1.
"""

from __future__ import annotations

import errno
import os
import select
import sys
import traceback
from collections.abc import Sequence
from io import TextIOWrapper
from typing import TYPE_CHECKING, Final, TextIO

import click

from undersigned import __version__
from undersigned.cli.output import emit_error, flush_out, output_failed
from undersigned.cli.problems import BAD_USAGE, INTERRUPTED, OUTPUT_FAILED
from undersigned.cli.values import offered
from undersigned.cli.verbs import list_verbs, load_verb
from undersigned.core.errors import (
    InterruptedRunError,
    StorageError,
    UndersignedError,
    UsageError,
    printable,
)
from undersigned.core.problems import INTERNAL

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_HELP: Final = "undersigned --help"

_COMPLETE: Final = "_UNDERSIGNED_COMPLETE"

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What a write of click's own to standard output fails with; files raise StorageError."""

OUTPUT_GONE: Final = 141
"""Exit code when the reader of standard output went away (128 + SIGPIPE, as shells say)."""

SECTIONS: Final = (
    ("Test an agent", ("test", "report", "suite", "agents", "system")),
    ("Check evidence", ("verify", "log", "trust", "share", "incident")),
    (
        "Answer for an agent",
        ("certify", "drill", "policy", "gate", "approve", "stop", "access", "serve"),
    ),
    ("Find help", ("doctor", "explain", "completion")),
)
"""Headings of the help and the order of verbs below each; a verb not named here comes last."""


class Verbs(click.Group):
    """The top-level command, which finds its verbs by listing their folder."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the verbs in the order of the help."""
        verbs = list_verbs()
        ordered = [name for _, names in SECTIONS for name in names if name in verbs]
        return [*ordered, *(name for name in verbs if name not in ordered)]

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        """Import one verb, or return None when there is none of that name."""
        return load_verb(cmd_name) if cmd_name in list_verbs() else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that was typed. Raises UsageError (E-CLI-001) with the nearest verbs."""
        is_typed = bool(args) and not ctx.resilient_parsing and not args[0].startswith("-")
        if is_typed and args[0] not in list_verbs():
            from difflib import get_close_matches

            near = get_close_matches(args[0], list_verbs())
            what = f"there is no verb {printable(args[0])!r}"
            raise UsageError(BAD_USAGE, what, nearest=", ".join(near) or "none", see=_HELP)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Return the verbs, or the options, that start with what was typed.

        WHY not click's own: it imports every verb for its help, which takes twice as long.
        """
        verbs = list_verbs()
        fitting = ((name, verbs[name].summary) for name in self.list_commands(ctx))
        return [*offered(fitting, incomplete), *click.Command.shell_complete(self, ctx, incomplete)]

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help: examples first, then the verbs by section."""
        verbs = list_verbs()
        formatter.write_text("Test an AI agent, keep the evidence, let an outsider check it.")
        examples = [
            (verbs[name].examples[0],) for name in self.list_commands(ctx) if verbs[name].examples
        ]
        if examples:
            with formatter.section("Examples"):
                for (example,) in examples:
                    formatter.write(f"{'':{formatter.current_indent}}{example}\n")
        named = {name for _, names in SECTIONS for name in names}
        rest = ("More", tuple(name for name in verbs if name not in named))
        width = max(len(name) for name in verbs)
        for title, names in (*SECTIONS, rest):
            rows = [(name.ljust(width), verbs[name].summary) for name in names if name in verbs]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
        with formatter.section("Everywhere"):
            formatter.write_dl(
                [
                    ("--json".ljust(width), "print one JSON object"),
                    ("--help".ljust(width), "explain a verb: undersigned VERB --help"),
                    ("--version".ljust(width), "print the version"),
                ]
            )


@click.group(
    cls=Verbs, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="undersigned", message="%(prog)s %(version)s")
@click.pass_context
def undersigned(ctx: click.Context) -> None:
    """Test an AI agent, keep the evidence, let an outsider check it."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; never raises, never prints a trace unasked.

    arguments: without the program's name; default the process's own.
    """
    # WHY: no matrix is multiplied here, and idle threads of a BLAS spin for a quarter of a second
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in (given[: given.index("--")] if "--" in given else given)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            return _run(given)
        except UndersignedError as error:
            if error.problem is OUTPUT_FAILED:
                raise
            return emit_error(error, as_json=as_json)
    except BrokenPipeError:
        _drop_output()
        return OUTPUT_GONE
    except StorageError as error:  # standard output itself cannot be written
        _drop_output()
        return emit_error(error, as_json=False)


def _run(arguments: list[str]) -> int:
    """Run click and turn whatever it raises into an error of the one tree."""
    if sys.stdout is None:
        raise output_failed("it is closed")
    try:
        result = _invoke(arguments)
        flush_out()
    except UndersignedError:
        raise
    except click.UsageError as error:
        raise _misused(error) from error
    except click.ClickException as error:
        raise UsageError(BAD_USAGE, printable(error.format_message(), 400), see=_HELP) from error
    except (KeyboardInterrupt, click.Abort) as error:
        raise InterruptedRunError(INTERRUPTED, "stopped before the end") from error
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _is_reader_gone(sys.stdout):
            raise
        raise _unforeseen(error) from error
    return result if isinstance(result, int) else 0


def _invoke(arguments: list[str]) -> object:
    """Find the verb and run it, or answer the shell's request for completions.

    WHY not click's own ``main``: it ends with code 1, which means "a limit is exceeded" here,
    when the reader of standard output goes away.
    """
    if instruction := os.environ.get(_COMPLETE):
        from click.shell_completion import shell_complete

        return shell_complete(undersigned, {}, "undersigned", _COMPLETE, instruction)
    try:
        with undersigned.make_context("undersigned", arguments) as ctx:
            return undersigned.invoke(ctx)
    except click.exceptions.Exit as end:
        return end.exit_code


def _is_reader_gone(stream: TextIO) -> bool:
    # WHY ask the system: a broken pipe of a verb's own, to a model say, must not end in silence.
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)
    except OSError:  # also io.UnsupportedOperation: no file behind it
        return False
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _unforeseen(error: Exception) -> UndersignedError:
    if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
        return output_failed(error.strerror)
    if os.environ.get("UNDERSIGNED_DEBUG") == "1":
        traceback.print_exception(error)
    kind = type(error).__name__
    return UndersignedError(INTERNAL, "something unforeseen", kind=kind, text=str(error))


def _misused(error: click.UsageError) -> UsageError:
    command = error.ctx.command_path if error.ctx else "undersigned"
    fields: dict[str, object] = {"command": command}
    near = getattr(error, "possibilities", None)
    if near:
        fields["nearest"] = ", ".join(near)
    message = error.message if near is not None else error.format_message()
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        message = "an argument is missing"
    return UsageError(BAD_USAGE, printable(message, 400), **fields, see=f"{command} --help")


def _drop_output() -> None:
    # WHY: at exit Python flushes standard output once more, and would print a trace of its own.
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
