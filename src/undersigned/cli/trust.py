"""Write your own trust file: whom you believe, for what, until when.

Example: undersigned trust init trust.json
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from undersigned.cli.output import emit, json_option
from undersigned.cli.trust_sources import (
    check_fingerprint,
    complete,
    copied,
    from_line,
    misused,
    own,
    public_half,
    quoted,
)
from undersigned.cli.values import complete_role

if TYPE_CHECKING:
    from undersigned.evidence.trust import Trust
    from undersigned.evidence.trusting import Holding

file_argument = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
"""The trust file that a verb reads or changes."""


def check_role(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Return the roles if they exist, for click."""
    from undersigned.evidence.keys import ROLES

    for role in value:
        if role not in ROLES:
            raise click.BadParameter(f"{role!r} is no role; there are {', '.join(ROLES)}")
    return value


def check_date(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Return the date if it is one, for click."""
    from undersigned.evidence.trust import is_date

    if value is not None and not is_date(value):
        raise click.BadParameter(f"{value!r} is no date; write it as YYYY-MM-DD")
    return value


@click.group()
def command() -> None:
    """Write the file that says whose keys you believe, for what, and until when.

    It is yours: never take it from whoever made what you check.
    """


@command.command("init", short_help="Write a new file that believes nobody yet.")
@file_argument
@json_option
def init_file(file: Path, as_json: bool) -> int:
    """Write a new trust FILE that believes nobody yet."""
    from undersigned.core.errors import UsageError
    from undersigned.evidence.problems import TRUST_EXISTS
    from undersigned.evidence.trust import write_trust
    from undersigned.evidence.trusting import empty_trust

    if file.exists() or file.is_symlink():
        raise UsageError(TRUST_EXISTS, "there is a file of this name", path=quoted(file))
    write_trust(file, empty_trust())
    lines = [
        f"{file} is written. It believes nobody yet; add the keys of those you believe:",
        "",
        f"  undersigned trust add {quoted(file)} --from OTHER.json --name NAME",
        f"  undersigned trust add {quoted(file)} --vkey LINE --party PARTY --role log --origin LOG",
    ]
    return emit({"file": str(file)}, as_json=as_json, text="\n".join(lines))


@command.command("key", short_help="Make a private key of your own.")
@click.argument("name")
@click.option(
    "--role", "roles", required=True, multiple=True, callback=check_role,
    shell_complete=complete_role,
    help="What it signs as: log, witness, tester, provider, owner or approver.",
)  # fmt: skip
@click.option("--party", required=True, help="Whose key it is.")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False),
    help="Where to put it; without it the keys of your home (undersigned doctor names it).",
)  # fmt: skip
@json_option
def make_key(
    name: str, roles: tuple[str, ...], party: str, folder: Path | None, as_json: bool
) -> int:
    """Make a private key NAME, and print its public half for others to trust.

    The file can be read by you alone, is never overwritten, and may not lie in a git repository.
    """
    import os

    from undersigned.cli.home import home_folder
    from undersigned.cli.trust_text import key_data, key_lines
    from undersigned.evidence.keys import check_name, create_key

    if len(roles) != 1:
        misused("a key has one role")
    folder = (folder or home_folder(os.environ) / "keys").resolve()
    projects = [each for each in (folder, *folder.parents) if (each / ".git").exists()]
    path = create_key(folder, roles[0], name, party=check_name(party), forbidden=projects)
    line, key = public_half(str(path))
    lines = [f"{path} is written; whoever reads it can sign as {name}.", "", *key_lines(key)]
    if line:
        lines += [f"  verifier key {line}"]
    lines += [
        "",
        "To hand out its public half, add it to a trust file and give that to whoever is to trust:",
        f"  undersigned trust add TRUST.json --key-file {quoted(path)}",
    ]
    data = {"file": str(path), "verifier_key": line, "key": key_data(key)}
    return emit(data, as_json=as_json, text="\n".join(lines))


@command.command("add", short_help="Believe one more key.")
@file_argument
@click.option(
    "--from", "other", metavar="TRUST_FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="Copy an entry of another trust file.",
)  # fmt: skip
@click.option("--name", help="Which entry of --from.")
@click.option(
    "--vkey", metavar="LINE", help="A verifier key line of a log or witness: NAME+ID+KEY."
)
@click.option(
    "--key-file", metavar="PATH",
    help="A private key of your own; only its public half is read out.",
)  # fmt: skip
@click.option("--party", help="Whose key it is.")
@click.option(
    "--role", "roles", multiple=True, callback=check_role, shell_complete=complete_role,
    help="log, witness, tester, provider, owner or approver (repeat it).",
)  # fmt: skip
@click.option("--predicate", "predicates", multiple=True, help="It may sign this (repeat it).")
@click.option("--origin", "origins", multiple=True, help="It may sign for this log (repeat it).")
@click.option(
    "--fingerprint", "given_fingerprint", metavar="HEX",
    help="What the owner told you; a key with another is refused.",
)  # fmt: skip
@click.option("--not-before", metavar="DATE", callback=check_date, help="First day it counts.")
@click.option("--not-after", metavar="DATE", callback=check_date, help="Last day it counts.")
@json_option
def add_key(
    file: Path,
    other: Path | None,
    name: str | None,
    vkey: str | None,
    key_file: str | None,
    given_fingerprint: str | None,
    roles: tuple[str, ...],
    as_json: bool,
    **given: object,
) -> int:
    """Add a key to trust FILE, from one of three sources: --from, --vkey or --key-file.

    What the source says of the key is kept unless an option says otherwise.
    """
    import msgspec

    from undersigned.cli.trust_text import key_data, key_lines, wrapped
    from undersigned.evidence.trust import load_trust, write_trust
    from undersigned.evidence.trusting import with_key

    if sum(source is not None for source in (other, vkey, key_file)) != 1:
        misused("give one of --from, --vkey and --key-file")
    if (name is not None) != (other is not None):
        misused(
            "--from and --name go together: a trust file, and which of its keys "
            "(undersigned trust show lists them)"
        )
    before = load_trust(file)
    if other is not None:
        key = copied(other, str(name))
    elif vkey is not None:
        key = from_line(vkey, roles)
    else:
        key = own(str(key_file))
    if given_fingerprint is not None:
        check_fingerprint(key, given_fingerprint)
    wanted = {field: value for field, value in {"roles": roles, **given}.items() if value}
    key = complete(msgspec.structs.replace(key, **wanted))
    after = with_key(before, key, path=quoted(file))
    write_trust(file, after)
    if key_file is not None:
        advice = "Give the fingerprint, by another way, to those who are to trust the key."
    elif given_fingerprint is not None:
        advice = "The fingerprint is the one that you gave."
    else:
        advice = (
            f"Nothing shows yet that this key belongs to {key.party}. Compare the fingerprint with "
            f"{key.party} by another way (a call, a meeting, a page you know), and take the entry "
            "out of the file again if it differs."
        )
    lines = [f"added to {file}:", "", *key_lines(key), "", *wrapped(advice)]
    return _changed(file, before, after, lines, as_json=as_json, more={"key": key_data(key)})


@command.command("revoke", short_help="Let a key no longer count.")
@file_argument
@click.argument("name")
@click.option(
    "--at", "position", metavar="POSITION", type=click.IntRange(0, 2**53 - 1), required=True,
    help="First position of the log at which the key no longer counts; 0: it never did.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Move an earlier revocation to a later position.")
@json_option
def revoke_key(file: Path, name: str, position: int, force: bool, as_json: bool) -> int:
    """Let the key NAME of trust FILE no longer count from a log position on."""
    from undersigned.evidence.trust import load_trust, write_trust
    from undersigned.evidence.trusting import key_named, revoked

    before = load_trust(file)
    after = revoked(before, name, position, later=force, path=quoted(file))
    write_trust(file, after)
    was, key = key_named(before, name).revoked_at, key_named(after, name)
    lines = [f"{name} no longer counts from log position {position} on."]
    if was is not None:
        lines = [f"{lines[0][:-1]} (before: {was})."]
    if position:
        lines.append(
            "What it signed and had logged before that counts; what is in no log does not."
        )
    if "log" in key.roles:
        lines.append(f"Checkpoints beyond size {position} need another key of the log.")
    data = {"name": name, "revoked_at": position, "before": was}
    return _changed(file, before, after, lines, as_json=as_json, more=data)


@command.command("hold", short_help="Hold a checkpoint of a log.")
@file_argument
@click.argument("checkpoint", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--replace", is_flag=True, help="Hold the largest of the log only; drop smaller ones."
)
@json_option
def hold_checkpoint(file: Path, checkpoint: Path, replace: bool, as_json: bool) -> int:
    """Hold a signed CHECKPOINT of a log in trust FILE, so that its past cannot be changed unseen.

    A dossier has it as log/checkpoint; hold it after the dossier was verified. Exit code 3 when
    it contradicts one that is held: both are kept, and are proof that the log shows two histories.
    """
    from undersigned.core.errors import EvidenceError
    from undersigned.evidence.notes import NOTE_LIMIT
    from undersigned.evidence.problems import BAD_NOTE, CONTRADICTED
    from undersigned.evidence.trust import load_trust, read_capped, write_trust
    from undersigned.evidence.trusting import Held, holding

    before = load_trust(file)
    try:
        note = read_capped(checkpoint, 4 * NOTE_LIMIT, BAD_NOTE).decode()
    except UnicodeDecodeError as error:
        raise EvidenceError(BAD_NOTE, "a checkpoint is no text", path=checkpoint) from error
    held = holding(before, note, keep_older=not replace)
    if held.trust is not before:
        write_trust(file, held.trust)
    if held.outcome == Held.CONTRADICTS and held.other is not None:
        raise EvidenceError(
            CONTRADICTED,
            "PROOF OF TWO HISTORIES: one log has signed two states of the same size",
            log=held.checkpoint.origin,
            size=held.checkpoint.size,
            root_held_before=held.other.root.hex(),
            root_given_now=held.checkpoint.root.hex(),
            both_are_kept_in=file,
        )
    data = {
        "outcome": held.outcome.value,
        "origin": held.checkpoint.origin,
        "size": held.checkpoint.size,
        "dropped": held.dropped,
    }
    return _changed(file, before, held.trust, _hold_lines(held, file), as_json=as_json, more=data)


def _hold_lines(held: Holding, file: Path) -> list[str]:
    from undersigned.cli.trust_text import wrapped
    from undersigned.core.errors import printable
    from undersigned.evidence.trusting import Held

    other = held.other
    this = f"{printable(held.checkpoint.origin)} at size {held.checkpoint.size}"
    if held.outcome == Held.KNOWN:
        return [f"{this} is held already; nothing changed."]
    if held.outcome == Held.JOINED:
        return [f"{this} is held already; the signatures of trusted keys were added to it."]
    if held.outcome == Held.OLDER and other is not None:
        return [
            f"nothing changed: {this} is older than the one held, at size {other.size}.",
            "To hold it too: repeat the command without --replace",
        ]
    lines = [f"held: {this}", "What the log has up to there can no longer change unseen."]
    if held.dropped:
        lines += wrapped(
            "It took the place of the smaller one below. Two checkpoints alone do not show that "
            "the larger continues the smaller; that a dossier was verified while the smaller one "
            "was held does. If none was, save it to a file and hold it too:"
        )
        lines.append(f"  undersigned trust hold {quoted(file)} SAVED")
    for note in held.dropped:
        lines += ["", *(f"    {printable(line, 2000)}" for line in note.splitlines())]
    return lines


@command.command("threshold", short_help="Ask for several parties' signatures.")
@file_argument
@click.argument("predicate")
@click.argument("count", type=click.IntRange(1, 2**53 - 1))
@json_option
def set_threshold(file: Path, predicate: str, count: int, as_json: bool) -> int:
    """Ask in trust FILE for signatures of COUNT different parties under each PREDICATE."""
    from undersigned.evidence.trust import load_trust, write_trust
    from undersigned.evidence.trusting import with_threshold

    before = load_trust(file)
    after = with_threshold(before, predicate, count)
    write_trust(file, after)
    parties = "one party" if count == 1 else f"{count} different parties"
    lines = [f"{predicate} now needs the signatures of {parties}."]
    data = {"predicate": predicate, "count": count}
    return _changed(file, before, after, lines, as_json=as_json, more=data)


@command.command("separate", short_help="Keep two roles in different hands.")
@file_argument
@click.argument("roles", nargs=2, metavar="ROLE ROLE", callback=check_role)
@json_option
def separate_roles(file: Path, roles: tuple[str, str], as_json: bool) -> int:
    """Let no party of trust FILE hold both roles."""
    from undersigned.evidence.trust import load_trust, write_trust
    from undersigned.evidence.trusting import separating

    before = load_trust(file)
    after = separating(before, *roles)
    if after is not before:
        write_trust(file, after)
    kept = "were kept apart already; nothing changed" if after is before else "are kept apart now"
    lines = [f"{roles[0]} and {roles[1]} {kept}."]
    return _changed(file, before, after, lines, as_json=as_json, more={"roles": roles})


@command.command("show", short_help="Show whom the file believes.")
@file_argument
@json_option
def show_file(file: Path, as_json: bool) -> int:
    """Show whom trust FILE believes and for what, and what it cannot show."""
    from undersigned.cli.trust_text import trust_data, trust_lines
    from undersigned.evidence.trust import load_trust

    trust = load_trust(file)
    caveats = _caveats(trust)
    if file.stat().st_mode & 0o022:
        caveats = [f"Others can write this file: chmod go-w {quoted(file)}", *caveats]
    lines = [f"{file}", *trust_lines(trust, caveats)]
    data = {"file": str(file), **trust_data(trust), "caveats": caveats}
    return emit(data, as_json=as_json, text="\n".join(lines))


def _changed(
    file: Path,
    before: Trust,
    after: Trust,
    lines: list[str],
    *,
    as_json: bool,
    more: Mapping[str, object],
) -> int:
    """Print what was done, and the caveats that are new since."""
    from undersigned.cli.trust_text import caveat_lines

    known = set(_caveats(before))
    new = [caveat for caveat in _caveats(after) if caveat not in known]
    if new:
        lines = [*lines, "", *caveat_lines(new)]
    data = {"file": str(file), **more, "caveats": new}
    return emit(data, as_json=as_json, text="\n".join(lines))


def _caveats(trust: Trust) -> list[str]:
    import datetime

    from undersigned.evidence.caveats import caveats

    return caveats(trust, datetime.datetime.now(datetime.UTC).date())
