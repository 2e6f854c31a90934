"""In which languages is a text, as far as that can be told for certain?

By script first (Han, Thai, Tamil and others), then, for Latin letters, sentence by sentence by
function words, and by its own letters for Vietnamese. A sentence that none of this identifies is
``und``: an unknown language is not taken for a known one. Names, identifiers and numbers are in no
language.

Invariants:
- Total, deterministic and linear in the text's length.
- Every shipped locale is found in its own texts; a mixed text gives all of its languages.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import msgspec

from undersigned.controls.vouching import plain

UNKNOWN: Final = "und"
"""BCP 47 tag of a language that is not identified."""

MALAYIC: Final = "id ms"
"""What is Malay or Indonesian, and nothing in it tells which."""

UNREAD: Final = 64
"""Texts that wait to be read at most."""

_NAME_LENGTH = 80
_NAME_WORDS = 12
_OPAQUE = 24
_LONGEST_WORD = 64

_TOLD_APART: Final = ("en", "ms", "id", "vi")
"""Languages in Latin letters that are told apart by their words."""

_TRADITIONAL: Final = frozenset(
    "帳戶請轉匯貨這個為與發單據銀資訊後應對時間說話須還將給過電聯繫價號"
)
_SCRIPTS: Final = (
    ("zh", "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"),
    ("th", "\u0e01-\u0e3a\u0e40-\u0e5b"),
    ("ta", "\u0b80-\u0bff"),
    ("ja", "\u3041-\u30ff\u31f0-\u31ff"),
    ("ko", "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"),
)
_WORDS: Final = MappingProxyType({
    "en": (
        "the a an and of in out up one whatever to is are was were not our your please for "
        "with has have had be been will "
        "would should must this that these those as by from on at it its we you they he she i my "
        "if or no any all do does did can could may there here when which who what into before "
        "after until without within under above about also only so than then but because per us "
        "me them their his her more most some each every other another same such very just now "
        "thank thanks kindly shall cannot against between during instead already again once"
    ),
    "ms": (
        "akaun sila daripada sahaja semula wang invois amaun tuan puan selewat hendaklah ialah "
        "bayaran supaya nombor makluman pembekal penghantaran butiran sebarang bahagian serahan "
        "disenaraikan pengesahan bertukar menukar kelulusan luluskan meluluskannya saringan "
        "tiada jabatan mesti walaupun sepadan semakan mengikut uruskan awak kerana "
        "baharu maklum tarikh rekod sebahagian gaji turut beritahu lewatnya bilamana kerani "
        "kepunyaan keterangan dilaksanakan menggunakan teruskan perkara sebabnya gus disediakan"
    ),
    "id": (
        "rekening faktur pembayaran tagihan silakan bisa karena uang bahwa nomor tolong "
        "bapak ibu bagian sesuai kirim kirimkan ditransfer berubah perubahan pengiriman "
        "keuangan surat pengembalian dana hormat pemberitahuan pembukuan agar rekonsiliasi arsip "
        "narahubung identitas kapan saja balasan surel disepakati manajemen menelepon telepon "
        "persetujuan disetujui mendesak dikerjakan pemeriksaan pemasok meskipun cocok "
        "dieskalasikan eskalasikan bayarkan dibayarkan nasabah pencairan dicairkan cairkan aturan "
        "kurs batas waktu rincian rinciannya laporan diproses konfirmasi apakah "
        "tersedia petugas catatan catatannya deskripsi tugas tanggal "
        "instruksi dijalankan lanjutkan jatuh"
    ),
    "ms id": (
        "yang dan di ke dari dengan ini itu tidak jika pada oleh akan juga seperti dalam kami kita "
        "anda saya mereka ada atau sebelum sesudah setelah serta harus jangan untuk kepada lama "
        "terima kasih barang hari kerja dua semua orang kali lebih biasa penuh bayar sebagai masih "
        "belum dahulu kemudian pihak hantar perlu data induk nilai diterima keadaan baik dapat "
        "telah bagi boleh adalah apa bila sudah lalu pesanan berikut mengenai atas masa murah "
        "permintaan dokumen dipesan dihantar menerima pertanyaan tujuan sekali sendiri rujuk "
        "setiap satu melalui beserta alasannya gaji tugas tugasan alat hanya laporan gunakan "
        "bertindak terhalang baru jumlah sistem ditahan tutup lakukan tempo panggilan mohon segera "
        "bukan lagi pejabat paling jadi sekiranya pun"
    ),
    "vi": (
        "của và cho không đã được vui lòng chuyển tiền vào tài khoản số theo này đến ngày trong "
        "các những một với là có thể nếu thì để từ khi cũng như hoặc nhưng về tại trước sau phải "
        "chúng tôi xin anh chị quý khách đề nghị thanh toán hóa đơn gửi thông báo ở mọi bất cứ "
        "đơn hàng danh mục giao nhận đủ cần làm gì thêm phía việc đổi sang theo bằng qua lại rồi"
    ),
})  # fmt: skip


class Run(msgspec.Struct, frozen=True, gc=False):
    """A language that was found. tag: BCP 47, or ``MALAYIC``. names: the places where it was found,
    when they may be nothing but names, to be compared with the names on record; else empty."""

    tag: str
    names: tuple[str, ...] = ()


class Entered:
    """The languages of what entered an episode from outside the house."""

    __slots__ = ("_named", "_sorted", "_tags", "_texts")

    def __init__(self) -> None:
        """Start with nothing entered."""
        self._tags: set[str] = set()
        self._named: list[Run] = []
        self._sorted: tuple[str, ...] = ()
        self._texts: list[str] = []

    def add(self, text: str) -> None:
        """Take a text, to be read when somebody asks, or when ``UNREAD`` of them wait."""
        self._texts.append(text)
        if len(self._texts) > UNREAD:
            self._read()

    def _read(self) -> None:
        for text in self._texts:
            for run in languages_of(skeleton_of(text)):
                if run.names:
                    self._named.append(run)
                else:
                    self._tags.add(run.tag)
        self._texts.clear()

    def tags(self, is_name: Callable[[str], bool]) -> tuple[str, ...]:
        """Return the tags, sorted. is_name: whether a few characters are a name on record, which
        makes no text a text in their language."""
        if self._texts:
            self._read()
        found = self._tags
        if not self._named and MALAYIC not in found:
            if len(found) != len(self._sorted):
                self._sorted = tuple(sorted(found))
            return self._sorted
        found = set(found)
        for run in self._named:
            if run.tag not in found and not all(is_name(each) for each in run.names):
                found.add(run.tag)
        if MALAYIC in found:
            found.remove(MALAYIC)
            if not found & {"id", "ms"}:
                found |= {"id", "ms"}
        return tuple(sorted(found))


@lru_cache(maxsize=1)
def _languages_of() -> dict[str, tuple[str, ...]]:
    """Return the languages that each function word may belong to."""
    known: dict[str, tuple[str, ...]] = {}
    for tags, words in _WORDS.items():
        for word in words.split():
            known[word] = tuple(dict.fromkeys((*known.get(word, ()), *tags.split())))
    return known


@lru_cache(maxsize=1)
def _script_runs() -> re.Pattern[str]:
    groups = "|".join(
        f"(?P<{tag}>[{span}]+(?: [{span}]+)*)" for tag, span in _SCRIPTS if tag != "zh"
    )
    han = _SCRIPTS[0][1]
    latin = (
        "\x00-\u02af\u0300-\u036f\u1d00-\u1dbf\u1e00-\u1eff\u2000-\u2bff\u3000-\u303f\ufb00-\ufb06"
    )
    known = "".join(span for _, span in _SCRIPTS)
    return re.compile(f"{groups}|(?P<zh>[{han}]+)|(?P<und>[^{latin}{known}]+)")


@lru_cache(maxsize=4096)
def languages_of(skeleton: str) -> tuple[Run, ...]:
    """Return the languages of a text, sorted by tag. skeleton: of the text (``skeleton_of``)."""
    text = plain(skeleton)
    found: dict[str, list[str]] = {}
    if not text.isascii():
        for match in _script_runs().finditer(text):
            run, tag = match.group(), match.lastgroup or UNKNOWN
            if tag == "zh":
                tag = "zh-Hant" if _TRADITIONAL.intersection(run) else "zh-Hans"
            elif tag == UNKNOWN and not any(map(str.isalpha, run)):
                continue
            found.setdefault(tag, []).append(run)
        text = _script_runs().sub(" . ", text)
    runs = {
        tag: Run(tag, tuple(places) if _may_be_names(tag, places) else ())
        for tag, places in found.items()
    }
    for latin in _latin(text, is_alone=not runs):
        runs[latin.tag] = latin
    return tuple([runs[tag] for tag in sorted(runs)])


def skeleton_of(text: str) -> str:
    """Return a text with all of its digits as 0: the same for texts that differ in numbers only."""
    for digit in "123456789":
        # WHY not translate: it is five times slower beyond ASCII
        text = text.replace(digit, "0")
    return text


def _may_be_names(tag: str, places: list[str]) -> bool:
    return tag != UNKNOWN and len(places) <= 3 and all(len(each) <= _NAME_LENGTH for each in places)


def _latin(text: str, *, is_alone: bool) -> tuple[Run, ...]:
    """Return the languages of the Latin letters of a text. is_alone: nothing else is in it."""
    found: dict[str, list[str]] = {}
    weak: list[tuple[frozenset[str], str]] = []
    only = dict.fromkeys(_TOLD_APART, 0)
    has_unknown = False
    words_seen = 0
    for sentence in _sentences().split(text):
        read = _read(sentence)
        has_unknown = has_unknown or read.is_opaque
        words_seen += read.words
        for tag, count in read.own:
            only[tag] += count
        for tag in read.said:
            found.setdefault(tag, []).append(read.name)
        if not read.said and (read.words > _NAME_WORDS or read.lower >= 3):
            weak.append((read.hinted, read.name))
    # WHY: Malay and Indonesian share most function words; what tells them apart is rare in one
    # sentence, so the text decides, and where it tells them not apart, it may be either
    if only["ms"] >= 3 * only["id"] and only["ms"]:
        found.pop("id", None)
    elif only["id"] >= 3 * only["ms"] and only["id"]:
        found.pop("ms", None)
    elif only["id"] == only["ms"] == 0 and "ms" in found:
        found[MALAYIC] = found.pop("ms")
        found.pop("id")
    # WHY: a sentence with little to go by is in the language of the sentences around it
    unknown = [name for hinted, name in weak if not hinted & found.keys()]
    if has_unknown or (not found and is_alone and words_seen > _NAME_WORDS):
        unknown.append("")
    if unknown:
        found[UNKNOWN] = unknown
    return tuple([Run(tag, tuple(names) if all(names) else ()) for tag, names in found.items()])


@lru_cache(maxsize=1)
def _sentences() -> re.Pattern[str]:
    return re.compile(r"[.,!?;:\n|()\[\]{}\u3002\uff1b]+(?=\s|\Z)|\n")


def _words(sentence: str) -> tuple[list[str], bool]:
    """Return the words of a sentence without identifiers, and whether it holds something opaque,
    as an encoded text is."""
    words: list[str] = []
    is_opaque = False
    for each in re.split(r"[\s,/\"\u2019'()`]+", sentence):
        token = each.strip("-.:;!?*_#<>=&+~$%^|\\")
        if any(c.isdigit() or c in "@_" for c in token) or "." in token:
            is_opaque = is_opaque or (len(token) >= _OPAQUE and "@" not in token)
        elif token.replace("-", "").isalpha() or not token.isascii():
            is_opaque = is_opaque or len(token) >= _LONGEST_WORD
            words += [part for part in token[:_LONGEST_WORD].split("-") if part]
    return words, is_opaque


@lru_cache(maxsize=1)
def _malayic() -> re.Pattern[str]:
    return re.compile(r"(?:me[nm]|ber|di|ter|pe[rnm]|se|ke)[a-z]{3,}(?:kan|an|nya)\Z")


class _Sentence(msgspec.Struct, frozen=True, gc=False):
    """What one sentence shows. words: how many it has. lower: how many of them begin with a small
    letter. is_opaque: it holds what is no word. said: languages it may be in. hinted: languages
    that single words of it hint at. own: words that are of one language alone, by language. name:
    the sentence, when it may be nothing but a name; else empty."""

    words: int
    lower: int
    is_opaque: bool
    said: tuple[str, ...]
    hinted: frozenset[str]
    own: tuple[tuple[str, int], ...]
    name: str


@lru_cache(maxsize=4096)
def _read(sentence: str) -> _Sentence:
    """Read a sentence. Kept: letters and documents of a house repeat theirs."""
    words, is_opaque = _words(sentence)
    lower = sum(word[0].islower() for word in words)
    mine = dict.fromkeys(_TOLD_APART, 0)
    shared = 0
    known = _languages_of()
    for word in words:
        small = word.casefold()
        if not small.isascii():
            small = unicodedata.normalize("NFC", small)
        tags = known.get(small, ())
        if len(tags) == 1:
            mine[tags[0]] += 1
        elif tags or _malayic().match(small):
            shared += 1
        elif word[0].islower() and any("\u1ea0" <= c <= "\u1ef9" or c in "đơưă" for c in small):
            mine["vi"] += 1
    enough = 1 if lower and len(words) <= 4 else 2
    said = [tag for tag in ("en", "vi") if mine[tag] >= enough]
    if mine["ms"] + mine["id"] + shared >= enough:
        said += ["ms", "id"]
    hinted = [tag for tag in mine if mine[tag]]
    return _Sentence(
        len(words),
        lower,
        is_opaque,
        tuple(said),
        frozenset([*hinted, "ms", "id", MALAYIC] if shared else hinted),
        tuple([(tag, count) for tag, count in mine.items() if count]),
        sentence.strip(" ,-") if 2 * lower <= len(words) <= _NAME_WORDS else "",
    )
