"""Which addresses and keys are accepted, what does a turn cost, and how fast may it go?"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.agents.wire import FakeTime
from undersigned.agents.chat import ChatAgent
from undersigned.agents.chat_limits import WAIT_LIMIT_S, Pace, backoff, retry_after
from undersigned.agents.chat_settings import ChatSettings, check_key, check_settings, check_url
from undersigned.core.errors import AccessDeniedError, UsageError
from undersigned.core.streams import Stream

URL = "https://api.example.com/v1"


def card(**fields):
    return ChatSettings(**{"base_url": URL, "model": "m", **fields})


@pytest.mark.parametrize(
    "url",
    [
        URL, "https://api.example.com", "https://h:8443/a/b~c", "https://[2001:db8::1]:443/v1",
        "http://127.0.0.1:8000/v1", "http://localhost:1", "http://[::1]:9/v1", "http://127.8.9.1",
    ],
)  # fmt: skip
def test_url__https_or_this_machine__is_accepted(url):
    check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/v1", "http://127.0.0.1.example.com", "http://localhost.example.com",
        "http://10.0.0.1", "http://127.1", "http://2130706433", "http://0.0.0.0",
        "http://[::ffff:8.8.8.8]", "http://[::]",
    ],
)  # fmt: skip
def test_url__plain_http_elsewhere__is_insecure(url):
    with pytest.raises(UsageError) as caught:
        check_url(url)
    assert caught.value.code == "E-AGT-005"


@pytest.mark.parametrize(
    "url",
    [
        "", "api.example.com", "ftp://h", "file:///etc/passwd", "https://", "https:///v1",
        "https://user:hunter2@h/v1", "http://127.0.0.1@evil.example", "http://127.0.0.1\\@evil.example",
        "https://h/v1?key=hunter2", "https://h/v1#hunter2", "https://h:0", "https://h:99999",
        "https://h\n.example", "https://h /v1", "HTTPS://h", "https://[::1", "https://[:::::]",
        "https://a..b", "https://-a.b", "https://h/%2e%2e", "https://h/\u0430", "https://\u0430.example",
    ],
)  # fmt: skip
def test_url__badly_written__is_refused_and_not_shown(url):
    with pytest.raises(UsageError) as caught:
        check_url(url)
    assert caught.value.code == "E-AGT-008"
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": ""}, {"model": "a\nb"}, {"temperature": "0,7"}, {"temperature": "1e400"},
        {"temperature": "NaN"}, {"temperature": "07"}, {"max_tokens": -1}, {"timeout_s": 0},
        {"timeout_s": 86_400}, {"retries": 99}, {"requests_per_minute": -1},
        {"tokens_in_price": "free"}, {"tokens_out_price": "-1"}, {"currency": "dollars"},
    ],
    ids=str,
)  # fmt: skip
def test_settings__out_of_range__are_refused_by_name(wrong):
    with pytest.raises(UsageError) as caught:
        ChatAgent(card(**wrong), None)
    assert caught.value.code == "E-AGT-008"
    assert next(iter(wrong)) in caught.value.remedy


def test_settings__defaults__are_accepted():
    check_settings(card(temperature="0.7", tokens_in_price="2.50", currency="SGD"))


def test_settings_digest__changes_with_what_changes_an_answer_only():
    same = [card(), card(key_env="UNDERSIGNED_KEY_X", retries=1, requests_per_minute=9)]
    other = [card(model="n"), card(temperature="0"), card(max_tokens=5), card(base_url=URL + "/x")]
    assert len({each.digest() for each in same}) == 1
    assert len({each.digest() for each in [*same, *other]}) == 5


def test_cost__known_prices__are_exact_and_rounded_up():
    priced = card(tokens_in_price="0.15", tokens_out_price="0.6", currency="USD")
    assert priced.cost(1, 0) == "0.000001"
    assert priced.cost(10_000_000, 1_000_000) == "2.100000"
    assert priced.cost(0, 0) == "0.000000"


def test_cost__price_unknown__is_none_and_never_zero():
    assert card(tokens_in_price="1").cost(5, 5) is None
    assert card().cost(0, 0) is None


def test_key__meant_for_this__is_read_and_trimmed():
    assert (
        check_key(card(key_env="UNDERSIGNED_KEY_A"), {"UNDERSIGNED_KEY_A": " k-1\n"}, ()) == "k-1"
    )
    assert check_key(card(key_env="MY_KEY"), {"MY_KEY": "k"}, ["MY_KEY"]) == "k"
    assert check_key(card(), {"UNDERSIGNED_KEY_A": "k"}, ()) is None


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("AWS_SECRET_ACCESS_KEY", "hunter2", "E-AGT-004"),
        ("undersigned_key_a", "hunter2", "E-AGT-004"),
        ("XUNDERSIGNED_KEY_A", "hunter2", "E-AGT-004"),
        ("UNDERSIGNED_KEY_\nA", "hunter2", "E-AGT-004"),
        ("UNDERSIGNED_KEY_" + "A" * 500, "hunter2", "E-AGT-004"),
        ("UNDERSIGNED_KEY_A", "", "E-AGT-003"),
        ("UNDERSIGNED_KEY_A", " \n", "E-AGT-003"),
        ("UNDERSIGNED_KEY_A", "hunter2\r\nHost: evil", "E-AGT-009"),
        ("UNDERSIGNED_KEY_A", "hunter2\u00e9", "E-AGT-009"),
    ],
)
def test_key__foreign_missing_or_unusable__is_denied_and_not_shown(name, value, code):
    with pytest.raises(AccessDeniedError) as caught:
        check_key(card(key_env=name), {name: value}, ())
    assert caught.value.code == code
    assert "hunter2" not in str(caught.value)


async def test_pace__sixty_a_minute__starts_one_a_second():
    time = FakeTime()
    pace = Pace(60, time.clock())
    starts = []
    for _ in range(4):
        await pace.wait()
        starts.append(time.now)
    assert starts == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize("per_minute", [1, 59, 120, 6000])
async def test_pace__any_rate__never_starts_more_than_that_and_one_seconds_worth(per_minute):
    time = FakeTime()
    pace = Pace(per_minute, time.clock())
    starts = []
    for _ in range(min(3 * per_minute, 500)):
        await pace.wait()
        starts.append(time.now)
    burst = max(1, per_minute // 60)
    for place, start in enumerate(starts):
        within = sum(start <= each < start + 10 for each in starts[place:])
        assert within <= burst + 10 * per_minute / 60 + 1e-6


async def test_pace__held__lets_nobody_start_earlier():
    time = FakeTime()
    pace = Pace(0, time.clock())
    pace.hold(5.0)
    await pace.wait()
    assert time.now == 5.0
    pace.hold(1e9)
    await pace.wait()
    assert time.now == 5.0 + WAIT_LIMIT_S


async def test_pace__no_limit__never_waits():
    time = FakeTime()
    pace = Pace(0, time.clock())
    for _ in range(100):
        await pace.wait()
    assert time.slept == []


@given(attempt=st.integers(0, 1000), key=st.integers(0, 9), asked=st.none() | st.floats(0, 1e9))
def test_backoff__any_attempt__stays_within_its_bounds(attempt, key, asked):
    waited = backoff(attempt, Stream.of(key), asked)
    assert 0.25 <= waited <= WAIT_LIMIT_S
    assert waited >= min(asked or 0, WAIT_LIMIT_S)


@given(st.text())
def test_retry_after__any_text__is_seconds_or_nothing(text):
    asked = retry_after({"Retry-After": text}, 0.0)
    assert asked is None or asked >= 0


def test_retry_after__a_date__is_the_time_until_then():
    date = format_datetime(datetime.fromtimestamp(1_800_000_030, UTC), usegmt=True)
    assert retry_after({"Retry-After": date}, 1_800_000_000.0) == 30.0
    assert retry_after({"Retry-After": date}, 1_900_000_000.0) == 0.0
    assert retry_after({}, 0.0) is None
