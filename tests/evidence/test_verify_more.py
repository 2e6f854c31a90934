"""Are annexes, challenges, witnesses and other plans judged by the stand-alone verifier?"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from tests.evidence.dossiers import (
    LOG_KEY,
    ORIGIN,
    TRUST,
    Made,
    Recipe,
    cosigned,
    key,
    make,
    packed,
)
from tests.evidence.test_verify import codes, judge, resign
from undersigned.evidence import verify
from undersigned.evidence.log import Log
from undersigned.evidence.trust import Key, Trust, write_trust
from undersigned.evidence.verify import exit_code, verify_dossier

ANNEX = b"names of those who were asked"
NONCE = "ab" * 32
WITNESSES = tuple(key(f"witness-{name}", "witness") for name in ("a", "b", "c"))
TRUSTING = msgspec.structs.replace(
    TRUST,
    keys=(
        *TRUST.keys,
        *[
            Key.of(w.name, w.public, f"party-{w.name}", roles=("witness",), origins=(ORIGIN,))
            for w in WITNESSES
        ],
    ),
)


def told(made: Made, start: str, trust: Path | None = None, **how: object) -> str:
    findings = verify_dossier(made.folder, trust or made.trust, **how)  # type: ignore[arg-type]
    return next(item.what for item in findings if item.what.startswith(start))


def annex(made: Made) -> Path:
    return made.folder / "payloads" / sha256(packed(ANNEX)).hexdigest()


def test_annex__present__matches_its_commitment(tmp_path: Path) -> None:
    made = make(tmp_path, Recipe(annexes=(ANNEX,)))
    assert codes(judge(made)) == set()
    assert told(made, "annexes").endswith(": 1 stated")


def test_annex__erased__the_dossier_still_verifies_and_says_what_was_erased(
    tmp_path: Path,
) -> None:
    made = make(tmp_path, Recipe(annexes=(ANNEX, b"another")))
    annex(made).unlink()
    assert exit_code(judge(made)) == 0
    line = told(made, "annexes")
    assert line.endswith("2 stated; erased or withheld, commitment holds: annex 0")


def test_annex__exchanged_by_the_tester__fails(tmp_path: Path) -> None:
    made = make(tmp_path, Recipe(annexes=(ANNEX,)))
    annex(made).write_bytes(packed(b"names of others"))
    assert codes(judge(made)) >= {"E-EVD-106"}
    resign(made)
    assert codes(judge(made)) == {"E-EVD-130"}


def test_annex__added_or_never_logged__fails(tmp_path: Path) -> None:
    made = make(tmp_path, Recipe(annexes=(ANNEX,)))
    (made.folder / "payloads" / ("0" * 64)).write_bytes(packed(b"later"))
    resign(made)
    assert codes(judge(made)) == {"E-EVD-130"}
    item = {"name": "x", "digest": verify.digest(b"x"), "size": 1, "retention": "erasable"}
    never = make(tmp_path / "never", Recipe(said=(("payloads", [item]),)))
    assert codes(judge(never)) == {"E-EVD-130"}


def test_annex__file_without_a_salt__fails(tmp_path: Path) -> None:
    bare = {"name": "x", "digest": verify.digest(b"x"), "size": 1, "retention": "erasable"}
    made = make(tmp_path, Recipe(annexes=(ANNEX,), said=(("payloads", [bare, 5]),)))
    assert "E-EVD-107" in codes(judge(made))


def test_missing_file__that_is_no_annex__still_fails(tmp_path: Path) -> None:
    made = make(tmp_path, Recipe(annexes=(ANNEX,)))
    (made.folder / "scores.json").unlink()
    assert "E-EVD-104" in codes(judge(made))


def test_challenge__with_the_nonce_that_was_given__holds_and_settles_the_seeds(
    tmp_path: Path,
) -> None:
    made = make(tmp_path, Recipe(challenge="verifier", said=(("nonce", NONCE),)))
    found = verify_dossier(made.folder, made.trust, nonce=NONCE)
    assert exit_code(found) == 0
    assert "E-EVD-182" not in codes(found, "unknown")
    assert "E-EVD-182" in codes(judge(made), "unknown")


@pytest.mark.parametrize(
    ("recipe", "nonce"),
    [
        (Recipe(challenge="verifier", said=(("nonce", NONCE),)), "cd" * 32),
        (Recipe(challenge="none"), NONCE),
        (Recipe(challenge="none", said=(("nonce", NONCE),)), ""),
        (Recipe(challenge="verifier"), ""),
        (Recipe(challenge="verifier", said=(("nonce", "short"),)), ""),
        (Recipe(challenge="verifier", said=(("nonce", 7),)), ""),
    ],
)
def test_challenge__nonce_of_another_or_none__fails(
    tmp_path: Path, recipe: Recipe, nonce: str
) -> None:
    made = make(tmp_path, recipe)
    assert codes(verify_dossier(made.folder, made.trust, nonce=nonce)) == {"E-EVD-131"}


def test_other_plans__shown__are_counted_for_this_system(tmp_path: Path) -> None:
    made = make(tmp_path, Recipe(other_plans=20, are_others_shown=True))
    line = told(made, "plans in this log")
    assert "21 registered, 1 completed, 0 abandoned, 20 open" in line
    assert line.endswith("of this system: 20 registered, 1 completed, 0 abandoned, 19 open")
    found = judge(made)
    assert {"E-EVD-187"} <= codes(found, "unknown")
    assert "E-EVD-186" not in codes(found, "unknown")
    assert exit_code(found) == 0


def test_other_plans__withheld_or_exchanged__is_said_or_fails(tmp_path: Path) -> None:
    made = make(tmp_path, Recipe(other_plans=3, are_others_shown=True))
    one, two, *_ = sorted((made.folder / "statements/log").iterdir())
    one.unlink()
    resign(made)
    assert "E-EVD-186" in codes(judge(made), "unknown")
    one.write_bytes(two.read_bytes())
    resign(made)
    assert codes(judge(made)) == {"E-EVD-133"}


def test_witnesses__have_cosigned_both_receipts__bound_the_times(tmp_path: Path) -> None:
    made = make(tmp_path, Recipe(witnesses=WITNESSES), TRUSTING)
    found = judge(made)
    assert exit_code(found) == 0
    assert not {"E-EVD-180", "E-EVD-181"} & codes(found, "unknown")
    assert told(made, "witnesses").endswith(
        "witness-a, witness-b, witness-c; plan logged before 2026-11-18 11:06:40Z; "
        "result logged before 2026-11-19 11:06:40Z"
    )


def test_witnesses__unknown_to_the_reader__count_for_nothing(tmp_path: Path) -> None:
    made = make(tmp_path, Recipe(witnesses=WITNESSES))
    found = judge(made)
    assert exit_code(found) == 0
    assert {"E-EVD-180", "E-EVD-181"} <= codes(found, "unknown")
    assert not [item for item in found if item.what.startswith("witnesses")]


def test_witnesses__fewer_than_the_reader_asks__fails(tmp_path: Path) -> None:
    strict = msgspec.structs.replace(TRUSTING, thresholds={"checkpoint": 3})
    two = make(tmp_path / "two", Recipe(witnesses=WITNESSES[:2]), strict)
    assert codes(judge(two)) == {"E-EVD-132"}
    three = make(tmp_path / "three", Recipe(witnesses=WITNESSES), strict)
    assert codes(judge(three)) == set()


def test_witnesses__two_keys_of_one_party__are_one_voice(tmp_path: Path) -> None:
    keys = tuple(
        msgspec.structs.replace(k, party="one") if "witness" in k.roles else k
        for k in TRUSTING.keys
    )
    strict = msgspec.structs.replace(TRUSTING, keys=keys, thresholds={"checkpoint": 2})
    assert codes(judge(make(tmp_path, Recipe(witnesses=WITNESSES), strict))) == {"E-EVD-132"}


def test_witnesses__forged_or_moved_in_time__fails(tmp_path: Path) -> None:
    made = make(tmp_path, Recipe(witnesses=WITNESSES), TRUSTING)
    path = made.folder / "proofs/eval-result.tlog-proof"
    early = (made.folder / "proofs/prereg.tlog-proof").read_text().splitlines()
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], early[-1]]) + "\n")
    resign(made)
    assert codes(judge(made)) == {"E-EVD-120"}


def test_seen__cosigned_checkpoint_given_by_the_reader__counts(tmp_path: Path) -> None:
    made = make(tmp_path, None, TRUSTING)
    with Log.open(made.log, LOG_KEY) as log:
        note = log.checkpoint()
    seen = tmp_path / "seen"
    seen.write_text(cosigned(note, WITNESSES[:1], 1_795_000_000))
    found = verify_dossier(made.folder, made.trust, (seen,))
    assert exit_code(found) == 0
    assert not {"E-EVD-180", "E-EVD-181"} & codes(found, "unknown")


@pytest.mark.parametrize("text", ["", "no note", "\udcff"])
def test_seen__that_is_no_checkpoint__fails_without_raising(tmp_path: Path, text: str) -> None:
    made = make(tmp_path)
    seen = tmp_path / "seen"
    seen.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert codes(verify_dossier(made.folder, made.trust, (seen,))) == {"E-EVD-119"}
    assert "E-EVD-119" in codes(verify_dossier(made.folder, made.trust, (tmp_path / "none",)))


def test_seen__of_another_log__fails(tmp_path: Path) -> None:
    made = make(tmp_path)
    other = Key.of("other", key("other", "log").public, "x", roles=("log",), origins=("other",))
    trust = Trust(TRUST.schema, (*TRUST.keys, other))
    write_trust(made.trust, trust)
    with Log.create(tmp_path / "o", "other", key("other", "log")) as log:
        (tmp_path / "seen").write_text(log.checkpoint())
    found = verify_dossier(made.folder, made.trust, (tmp_path / "seen",))
    assert codes(found) == {"E-EVD-120"}


def test_json_of_the_findings__is_one_object(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = make(tmp_path, Recipe(challenge="verifier", said=(("nonce", NONCE),)))
    options = [str(made.folder), "--trust", str(made.trust), "--nonce", NONCE, "--json"]
    assert verify.main(options) == 0
    assert json.loads(capsys.readouterr().out)["exit"] == 0
