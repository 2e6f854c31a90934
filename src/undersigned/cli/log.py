"""Read, prove, export, examine and cosign the log of a tester.

Example: undersigned log show
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from undersigned.cli.logbook import log_options
from undersigned.cli.output import emit, json_option, quiet_option

if TYPE_CHECKING:
    from undersigned.evidence.witness import Answer

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def command() -> None:
    """Read, prove, export, examine and cosign the log of a tester."""


@command.command("show")
@click.option("--open", "only_open", is_flag=True, help="Only registered plans not yet closed.")
@click.option("--predicate", help="Only entries of this predicate, for example prereg.")
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many."
)
@log_options
@json_option
def show(
    only_open: bool, predicate: str | None, limit: int, party: str, folder: Path | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Show what the log holds, the newest entries last."""
    from undersigned.cli.logbook import cosigners, open_log, row_lines
    from undersigned.evidence.index import open_index
    from undersigned.evidence.store import Store

    with open_log(party, folder) as log:
        with open_index(log, Store(log.folder / "store")) as index:
            rows = index.find(predicate, state="open" if only_open else None, last=limit)
        size, root, names = log.size, log.root().hex(), cosigners(log.note)
        data: dict[str, Any] = {
            "origin": log.origin, "folder": str(log.folder), "size": size, "root": root,
            "cosigners": names, "entries": [row._asdict() for row in rows],
        }  # fmt: skip
    lines = [
        f"origin        {data['origin']}",
        f"size          {size}",
        f"root          {root}",
        f"cosigned by   {', '.join(names) or 'nobody'}{' (not verified here)' if names else ''}",
        "",
        *(row_lines(rows) if rows else ["no such entries"]),
    ]
    return emit(data, as_json=as_json, text="\n".join(lines))


@command.command("checkpoint")
@log_options
@json_option
def checkpoint(party: str, folder: Path | None, as_json: bool) -> int:
    """Publish the present state and print its signed note."""
    from undersigned.cli.logbook import open_log

    with open_log(party, folder) as log:
        note = log.checkpoint()
    return emit({"checkpoint": note}, as_json=as_json, text=note)


@command.command("prove")
@click.argument("entry", required=False)
@click.option("--from", "size", type=click.IntRange(1), help="Prove growth from this size instead.")
@click.option("--out", type=_FILE, help="File to write.")
@log_options
@json_option
def prove(
    entry: str | None, size: int | None, out: Path | None, party: str, folder: Path | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Prove that ENTRY (its index, or the start of its digest) is in the log.

    Prints a tlog-proof receipt. With --from, prints the hashes that prove that the present
    checkpoint continues the log of an earlier size.
    """
    from undersigned.cli.logbook import open_log, resolve
    from undersigned.evidence.notes import encode64

    if (entry is None) == (size is None):
        raise click.UsageError("give either an entry, or --from a size")
    with open_log(party, folder) as log:
        if size is not None:
            hashes = [encode64(item) for item in log.consistency(size)]
            data: dict[str, Any] = {"from": size, "to": log.size, "hashes": hashes}
            text = "".join(f"{item}\n" for item in hashes)
        else:
            index = resolve(log, entry or "")
            text = log.receipt(index)
            data = {"index": index, "receipt": text}
    return _hand_over(data, text, out, as_json=as_json)


@command.command("fsck")
@click.option("--trust", type=_FILE, help="Trust file with the log's key (default: own key).")
@log_options
@json_option
def fsck(trust: Path | None, party: str, folder: Path | None, as_json: bool) -> int:
    """Examine the log's folder without changing a byte of it, even while it is in use.

    Exit code 3 when something fails.
    """
    from undersigned.cli.logbook import check_lines, find_log, verifiers_of
    from undersigned.evidence.fsck import examine

    path = find_log(party, folder)
    verifiers = verifiers_of(path, trust) if (path / "high-water").is_file() else ()
    checks = examine(path, verifiers)
    failed = any(check.status == "fails" for check in checks)
    data = {"folder": str(path), "checks": [check._asdict() for check in checks]}
    text = "\n".join(check_lines(checks))
    return emit(data, as_json=as_json, text=text, exit_code=3 if failed else 0)


@command.command("export")
@click.argument("target", type=click.Path(path_type=Path, file_okay=False))
@log_options
@json_option
@quiet_option
def export(target: Path, party: str, folder: Path | None, as_json: bool, quiet: bool) -> int:
    """Write the log as static files (tlog-tiles) under TARGET, for any web server.

    TARGET may hold an earlier export of the same log; its checkpoint then moves forward.
    """
    from undersigned.cli.logbook import open_log
    from undersigned.cli.progress import Progress

    with open_log(party, folder) as log, Progress("files", 0, quiet=quiet or as_json) as bar:

        def on_file(total: int) -> None:
            bar.total = total
            bar.advance()

        log.export(target, on_file)
        data = {"folder": str(target), "files": bar.done, "size": log.size}
    return emit(data, as_json=as_json, text=f"{data['files']} files in {target}")


@command.command("commit")
@click.argument("file", type=_FILE)
@click.option(
    "--retention", required=True, type=click.Choice(["term", "erasable"]),
    help="term: kept as long as its contract says. erasable: may be erased at any time.",
)  # fmt: skip
@log_options
@json_option
def commit(file: Path, retention: Any, party: str, folder: Path | None, as_json: bool) -> int:
    """Keep FILE beside the log, packed with a random salt, and log its commitment."""
    from undersigned.assessment.registry import commit_payload
    from undersigned.cli.logbook import open_log
    from undersigned.core.files import read_file
    from undersigned.evidence.store import Store

    data = read_file(file)
    with open_log(party, folder) as log:
        commitment, index = commit_payload(log, Store(log.folder / "store"), data, retention)
        log.checkpoint()
    shown = {"commitment": commitment.digest, "size": commitment.size, "index": index}
    text = f"commitment  {commitment.digest}\nindex       {index}"
    return emit(shown, as_json=as_json, text=text)


@command.command("erase")
@click.argument("commitment")
@click.option("--yes", is_flag=True, help="Do not ask.")
@log_options
@json_option
def erase(commitment: str, yes: bool, party: str, folder: Path | None, as_json: bool) -> int:
    """Erase the payload of COMMITMENT with its salt; the log and every proof stay as they are.

    Copies made elsewhere, and what a disk keeps of overwritten blocks, are not reached.
    """
    from undersigned.cli.logbook import open_log
    from undersigned.core.errors import UsageError
    from undersigned.evidence.index import open_index
    from undersigned.evidence.problems import NO_ENTRY, NOT_CONFIRMED_ERASE
    from undersigned.evidence.store import Store

    with open_log(party, folder) as log:
        store = Store(log.folder / "store")
        with open_index(log, store) as index:
            rows = index.find("payload", digest_prefix=commitment, last=2)
        digest = rows[0].digest if len(rows) == 1 else commitment
        if len(rows) != 1 and not store.path("payloads", digest).exists():
            raise UsageError(NO_ENTRY, "no payload, or more than one", commitment=commitment)
        if not yes and not (sys.stdin.isatty() and click.confirm(f"Erase {digest}?", err=True)):
            raise UsageError(NOT_CONFIRMED_ERASE, "nothing was erased", commitment=digest)
        erased = store.erase(digest)
    text = "erased" if erased else "it was erased before, or is not here"
    return emit({"commitment": digest, "erased": erased}, as_json=as_json, text=text)


@command.command("abandon")
@click.argument("plan")
@click.option("--reason", required=True, help="Why, for whoever reads the log.")
@click.option("--party", default="self", show_default=True, help="Whose log.")
@json_option
def abandon_plan(plan: str, reason: str, party: str, as_json: bool) -> int:
    """Give up registered PLAN (its index, or the start of its digest) by a signed statement.

    It cannot be run or closed afterwards.
    """
    import os

    from undersigned.assessment.registry import abandon, open_tester
    from undersigned.cli.home import home_folder
    from undersigned.cli.logbook import find_log

    find_log(party, None)
    done = abandon(open_tester(home_folder(os.environ), party, ()), plan, reason)
    text = f"abandoned: plan {done.plan}, entry {done.position}"
    return emit({"plan": done.plan, "index": done.position}, as_json=as_json, text=text)


@command.command("request")
@click.option(
    "--old", type=click.IntRange(0), default=0, show_default=True,
    help="Size that the witness cosigned last.",
)  # fmt: skip
@click.option("--out", type=_FILE, help="File to write.")
@log_options
@json_option
def request(old: int, out: Path | None, party: str, folder: Path | None, as_json: bool) -> int:
    """Write what asks a witness to cosign the present checkpoint (tlog-witness)."""
    from undersigned.cli.logbook import open_log, request_body

    with open_log(party, folder) as log:
        body = request_body(log, old)
    return _hand_over({"old": old, "request": body}, body, out, as_json=as_json)


@command.command("cosigned")
@click.argument("file", type=_FILE)
@click.option("--trust", required=True, type=_FILE, help="Trust file with the witness's key.")
@log_options
@json_option
def cosigned(file: Path, trust: Path, party: str, folder: Path | None, as_json: bool) -> int:
    """Add the signature lines in FILE, which a witness answered, to the checkpoint."""
    from undersigned.cli.logbook import cosigners, open_log
    from undersigned.core.errors import EvidenceError
    from undersigned.core.files import read_file
    from undersigned.evidence.notes import keep_signatures, open_note, with_signatures
    from undersigned.evidence.problems import NO_COSIGNATURE
    from undersigned.evidence.trust import load_trust

    with open_log(party, folder) as log:
        witnesses = load_trust(trust).verifiers(log.origin, role="witness")
        try:
            lines = read_file(file).decode()
            merged = with_signatures(log.checkpoint(), lines)
            open_note(merged, witnesses)
        except (UnicodeDecodeError, EvidenceError) as error:
            what = "no line is a cosignature of the present checkpoint"
            reason = error.what if isinstance(error, EvidenceError) else "it is no text"
            raise EvidenceError(NO_COSIGNATURE, what, path=str(file), reason=reason) from error
        kept = keep_signatures(merged, witnesses).rpartition("\n\n")[2]
        note = log.add_cosignatures(kept)
    data = {"checkpoint": note, "cosigners": cosigners(note)}
    return emit(data, as_json=as_json, text=note)


@command.command("cosign")
@click.argument("file", type=_FILE)
@click.option("--key", required=True, type=_FILE, help="Private key of the witness.")
@click.option("--state", required=True, type=_FILE, help="What this witness has cosigned so far.")
@click.option("--trust", required=True, type=_FILE, help="Trust file with the keys of the logs.")
@click.option("--new-state", is_flag=True, help="Begin the state; for the very first request only.")
@click.option("--evidence-out", type=_FILE, help="Where to keep proof that a log lied.")
@json_option
def cosign(
    file: Path, key: Path, state: Path, trust: Path, new_state: bool, evidence_out: Path | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Answer the request in FILE as a witness, and print the answer.

    Exit code 0 when the checkpoint is cosigned, 3 when it is refused.
    """
    import time

    from undersigned.core.canonical import encode
    from undersigned.core.files import read_file, write_file
    from undersigned.evidence.keys import load_key
    from undersigned.evidence.trust import load_trust
    from undersigned.evidence.witness import cosign_durably

    known = load_trust(trust)
    origins = {origin for item in known.keys if "log" in item.roles for origin in item.origins}
    answer = cosign_durably(
        state, read_file(file), logs={name: known.verifiers(name) for name in origins},
        signer=load_key(key), clock=lambda: int(time.time()), create=new_state,
    )  # fmt: skip
    if answer.evidence is not None and evidence_out is not None:
        write_file(evidence_out, encode(answer.evidence))
    _tell_evidence(answer, evidence_out)
    return emit(answer, as_json=as_json, text=answer.body, exit_code=0 if _is_good(answer) else 3)


def _is_good(answer: Answer) -> bool:
    return answer.status == 200


def _tell_evidence(answer: Answer, path: Path | None) -> None:
    if answer.evidence is not None:
        where = f"is in {path}" if path else "is not kept; run this again with --evidence-out FILE"
        sys.stderr.write(f"this log signed two histories; the proof {where}\n")


def _hand_over(data: dict[str, Any], text: str, out: Path | None, *, as_json: bool) -> int:
    """Print a text, or write it to a file and print where."""
    from undersigned.core.files import write_file

    if out is None:
        return emit(data, as_json=as_json, text=text)
    write_file(out, text.encode())
    return emit(data | {"out": str(out)}, as_json=as_json, text=str(out))
