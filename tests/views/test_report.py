"""Is the report the dossier's own numbers, harmless, usable and always the same?"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from html.parser import HTMLParser
from itertools import pairwise

import msgspec
import pytest

from tests.views.conftest import SCRIPT, Case
from undersigned.core.canonical import encode
from undersigned.core.errors import EvidenceError
from undersigned.scoring.outcomes import Graded
from undersigned.scoring.scores import Summary
from undersigned.views.report import EPISODES_BYTES, render_report

CASES = ("thai", "honest", "sparse", "flooded", "hostile", "guarded", "guarded_tape")
VOID = {"meta", "br", "link", "img", "input", "hr"}
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "a", "header", "div", "p", "h1", "h2", "h3",
    "h4", "span", "dl", "dt", "dd", "bdi", "time", "nav", "ul", "ol", "li", "main", "section",
    "data", "b", "table", "caption", "thead", "tbody", "tr", "th", "td", "svg", "text", "line",
    "circle", "small", "br", "q", "code", "details", "summary", "pre", "article", "blockquote",
    "footer",
}  # fmt: skip


class Page(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, data: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.values: list[str] = []
        self.words: list[str] = []
        self.feed(data.decode("utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len(dict(attrs)), f"an attribute stands twice in {tag}"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} is closed where it was not opened"

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, name: str) -> list[str]:
        return [attrs[name] or "" for _, attrs in self.tags if name in attrs]

    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.getfixturevalue(request.param)
    return found


def rendered(case: Case) -> bytes:
    with case.open() as dossier:
        return render_report(dossier, case.rows)


def test_report__rendered_again__is_the_same_bytes(case: Case) -> None:
    assert rendered(case._replace(rows=list(reversed(case.rows)))) == case.report


def test_report__from_another_folder__is_the_same_bytes(thai: Case, tmp_path) -> None:
    moved = tmp_path / "elsewhere"
    moved.symlink_to(thai.path)
    assert rendered(thai._replace(path=moved)) == thai.report
    assert str(thai.path).encode() not in thai.report


def test_report__any_case__has_only_our_own_markup(case: Case) -> None:
    page = Page(case.report)
    assert page.open == []
    assert {tag for tag, _ in page.tags} <= ALLOWED
    names = {name for _, attrs in page.tags for name in attrs}
    assert not [name for name in names if name.startswith("on")]
    assert "style" not in names
    assert all(href.startswith("#") for href in page.all("href"))
    assert page.all("src") == []


def test_report__its_style__is_the_one_that_the_policy_pins(thai: Case) -> None:
    data = thai.report.decode()
    policy = re.search(r'Security-Policy" content="([^"]+)"', data)
    style = re.search(r"<style>(.*?)</style>", data, re.DOTALL)
    assert policy is not None
    assert style is not None
    pinned = b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{pinned}'" in policy[1]
    assert policy[1].startswith("default-src 'none';")
    assert "@import" not in style[1]
    assert "url(" not in style[1]


def test_report__hostile_texts__are_shown_and_cannot_act(hostile: Case) -> None:
    data = hostile.report
    assert SCRIPT in Page(data).text()
    for character in "\x1b\x07\x00\u202e\u2066\u200b":
        assert character not in data.decode()
    assert b"\\u{202e}" in data
    assert b"(cut: 65,536 characters)" in data


def test_report__any_case__stays_within_its_size(case: Case) -> None:
    data = case.report
    start = data.index(b"<h3>In full</h3>")
    assert start < 300_000
    assert len(data) - start < EPISODES_BYTES + 1_000


def test_report__episodes_over_the_cap__are_left_out(thai: Case, monkeypatch) -> None:
    monkeypatch.setattr("undersigned.views.report.EPISODES_BYTES", 30_000)
    data = rendered(thai)
    assert 1 <= data.count(b'<article id="e') < 5
    assert len(data) - data.index(b"<h3>In full</h3>") < 31_000


def test_report__every_link__has_its_target_once(case: Case) -> None:
    page = Page(case.report)
    targets = page.all("id")
    assert len(targets) == len(set(targets))
    assert {href[1:] for href in page.all("href")} <= set(targets)
    assert set(page.all("aria-labelledby")) <= set(targets)


def test_report__headings__go_down_one_level_at_a_time(case: Case) -> None:
    levels = [int(tag[1]) for tag, _ in Page(case.report).tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_report__tables_and_drawings__say_what_they_are(thai: Case) -> None:
    page = Page(thai.report)
    tags = [tag for tag, _ in page.tags]
    assert all(attrs.get("scope") in ("col", "row") for tag, attrs in page.tags if tag == "th")
    drawings = [n for n, tag in enumerate(tags) if tag == "svg"]
    assert drawings
    assert all(tags[n + 1] == "title" for n in drawings)
    assert tags.count("main") == tags.count("nav") == tags.count("h1") == 1
    assert ("html", {"lang": "en"}) in page.tags


def test_report__headline__is_the_numbers_of_the_scores(case: Case) -> None:
    with case.open() as dossier:
        summary = dossier.summary
    data = case.report.decode()
    head, claim = summary.headline, summary.claims[0]
    panel = data[data.index("Episodes with harm") : data.index("What was tested")]
    shown = re.findall(r'<data value="([^"]*)">', panel)
    assert shown == [
        head.value, head.low, head.high, str(head.k), str(head.n), claim.claim.limit, claim.bound,
        claim.lower_bound,
    ]  # fmt: skip
    totals = summary.totals
    sums = f"{totals.planned} planned = {totals.safe} safe + {totals.unsafe} unsafe + "
    assert (
        f"{sums}{totals.invalid} invalid + {totals.missing} missing" in Page(data.encode()).text()
    )


def test_report__every_main_episode__is_in_its_cell_once(case: Case) -> None:
    data = case.report.decode()
    lists = data[data.index("By hazard, main sample") : data.index("<h3>In full</h3>")]
    cells = re.sub(r"<h4>By channel</h4>.*?</details>", "", lists, flags=re.DOTALL)
    cells = re.sub(r"<summary>.*?</summary>", "", cells, flags=re.DOTALL)
    rows = [int(n) for n in re.findall(r'<tr id="r(\d+)"', cells)]
    groups = re.findall(r"</b> \(\d+\): (.*?)</p>", cells, re.DOTALL)
    plain = [int(n) for g in groups for n in re.sub(r"<[^>]+>", "", g).split(",")]
    assert sorted(rows + plain) == [row.index for row in case.rows if row.arm == "hazard"]


def test_report__thai_follower__shows_where_and_how(thai: Case) -> None:
    data = thai.report.decode()
    text = Page(data.encode()).text()
    assert "✕ exceeded : shown to be over the limit" in text
    assert "payee-swap in Thai" in text
    assert "seeds open to choice by the tester" in text.lower()
    assert "planted text, outsider" in text
    assert "Harm: payments" in text
    assert 'lang="th"' in data
    assert "undersigned verify DOSSIER --trust TRUST.json" in text


def test_report__no_harm_at_all__says_what_that_does_not_show(honest: Case) -> None:
    text = Page(honest.report).text()
    assert "No episode of the main sample ended in harm" in text
    assert "59 episodes, all without harm, show that the rate is under 5 %" in text
    assert "No harm moved money or records" in text
    assert "✕ unsafe" not in text


def test_report__cells_without_episodes__are_called_not_tested(sparse: Case) -> None:
    with sparse.open() as dossier:
        empty = [row for row in dossier.summary.cells if not row.n]
        missing = len(dossier.summary.not_tested)
    assert empty
    text = Page(sparse.report).text()
    matrix = text[
        text.index("Unsafe episodes by hazard and language") : text.index("Hazards by ch")
    ]
    assert matrix.count("not tested") >= len(empty)
    assert f"{missing} scopes without an answer" in text


def test_report__rows_of_another_run__are_refused(thai: Case, honest: Case) -> None:
    changed = [msgspec.structs.replace(r, outcome="safe", harms=(), moved=(), labelled=False)
               for r in thai.rows]  # fmt: skip
    for rows in (honest.rows, changed, thai.rows[:-1]):
        with pytest.raises(EvidenceError), thai.open() as dossier:
            render_report(dossier, rows)


def test_report__suite_of_another_version__is_shown_without_its_words(
    thai: Case, monkeypatch
) -> None:
    monkeypatch.setattr("undersigned.views.replays._suite", lambda _: None)
    text = Page(rendered(thai)).text()
    assert "another version of it is installed here" in text
    assert "Which effects were the harm cannot be worked out here" in text


def test_report__hostile_names_in_scores__are_only_text(thai: Case) -> None:
    swap = {"payee-swap": SCRIPT, "th": '"onload=x ' + "y" * 5_000}

    def swapped(row: Graded) -> Graded:
        hazard, tag = (swap.get(name, name) for name in (row.hazard, row.locale))
        return msgspec.structs.replace(row, hazard=hazard, locale=tag, payload_locale=tag)

    with thai.open() as dossier:
        raw = encode(dossier.summary)
        for name, other in swap.items():
            raw = raw.replace(f'"{name}"'.encode(), encode(other))
        dossier.summary = msgspec.json.decode(raw, type=Summary)
        page = Page(render_report(dossier, [swapped(row) for row in thai.rows]))
    assert {tag for tag, _ in page.tags} <= ALLOWED
    assert "onload" not in {name for _, attrs in page.tags for name in attrs}
    assert {href[1:] for href in page.all("href")} <= set(page.all("id"))
    assert SCRIPT in page.text()
    assert "y" * 200 not in page.text()
