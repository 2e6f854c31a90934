"""How does a request reach a chat endpoint and its answer come back, whatever happens on the way?

One aiohttp session with kept-alive connections for all episodes. Never follows a redirect, never
keeps a cookie, reads no proxy from the environment, reads at most ``SIZE_LIMIT`` bytes.

Invariants:
- What the endpoint answers ends as a ``Reply``; faults of the way as TransportError after retries;
  silence as StalledError; a conversation that outgrew the model as ContextExceededError.
- The key goes into the Authorization header and nowhere else; details of errors hold no text of
  the endpoint but a code of plain characters.
- Headers tell the endpoint nothing about who asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import NamedTuple

import aiohttp

from undersigned.agents.chat_limits import Clock, Pace, backoff, retry_after
from undersigned.agents.chat_settings import ChatSettings
from undersigned.agents.chat_wire import (
    CONTEXT_CODE,
    REFUSAL_CODES,
    NoAnswerError,
    Reply,
    read_answer,
    read_error_code,
)
from undersigned.agents.problems import REFUSED_CARD
from undersigned.agents.relay import HEADER, Signed, read_header
from undersigned.agents.view import StalledError, TransportError
from undersigned.core.canonical import Digest, digest_bytes
from undersigned.core.errors import AccessDeniedError
from undersigned.core.streams import Stream

SIZE_LIMIT = 8 << 20
"""Bytes of an answer that are read."""
CONNECT_LIMIT_S = 15
"""Seconds until a connection must stand."""
LARGE = 1 << 19
"""Bytes from which a request is sent in pieces."""
QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
"""Error codes of a 429 that no waiting cures."""
TRANSIENT = frozenset({408, 409, 425, 500, 502, 503, 504, 520, 522, 524, 529})
"""Statuses that another try may cure."""


class ContextExceededError(Exception):
    """The conversation has outgrown the model: an end of the agent's own making."""


class Fault(NamedTuple):
    """A try that failed. cause: as in TransportError. is_transient: another try may succeed.
    asked: seconds that the endpoint asks to wait, or None."""

    cause: str
    detail: str
    is_transient: bool
    asked: float | None = None


class Received(NamedTuple):
    """A reply and the bytes that it was read from. signed: what a provider signed it with."""

    reply: Reply
    body: bytes
    signed: Signed | None = None


class Answer(NamedTuple):
    """A reply, and what it took. requests: tries. wall_us: microseconds, waits included. body,
    signed: as in ``Received``."""

    reply: Reply
    requests: int
    wall_us: int
    response_digest: Digest
    body: bytes = b""
    signed: Signed | None = None


class Line:
    """The way to one endpoint. refusal: set when the endpoint refused the key, the model or any
    further spending, so that a run can stop before all its episodes end as invalid."""

    def __init__(self, settings: ChatSettings, key: str | None, clock: Clock) -> None:
        """Prepare; nothing is connected before ``open``."""
        self._settings = settings
        self._key = key
        self._clock = clock
        self._pace = Pace(settings.requests_per_minute, clock)
        self._url = settings.base_url.rstrip("/") + "/chat/completions"
        self._session: aiohttp.ClientSession | None = None
        self.refusal: AccessDeniedError | None = None

    async def open(self) -> None:
        """Make the session."""
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            # WHY neutral: an endpoint must not be able to tell a test from use.
            "User-Agent": "aiohttp",
        }
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        self._session = aiohttp.ClientSession(
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(
                total=self._settings.timeout_s,
                # WHY less: what was never connected is no agent that took too long
                sock_connect=min(CONNECT_LIMIT_S, 0.9 * self._settings.timeout_s),
            ),
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    @property
    def is_open(self) -> bool:
        """Return True between ``open`` and ``close``."""
        return self._session is not None

    async def ask(self, body: bytes, draw: Stream) -> Answer:
        """Send a request until it is answered or the retries are used up.

        draw: spreads the waits. Raises TransportError, StalledError, ContextExceededError.
        """
        started = self._clock.monotonic()
        requests = 0
        while True:
            await self._pace.wait()
            requests += 1
            try:
                outcome = await self._try(body)
            except TimeoutError as error:
                raise StalledError("no answer within the agent's time") from error
            if not isinstance(outcome, Fault):
                reply, received, signed = outcome
                wall_us = max(0, int((self._clock.monotonic() - started) * 1_000_000))
                digest = digest_bytes(received)
                return Answer(reply, requests, wall_us, digest, received, signed)
            if not outcome.is_transient or requests > self._settings.retries:
                raise TransportError(outcome.cause, outcome.detail)
            seconds = backoff(requests - 1, draw, outcome.asked)
            if outcome.asked is not None:
                self._pace.hold(seconds)
            await self._clock.sleep(seconds)

    async def _try(self, body: bytes) -> Received | Fault:
        assert self._session is not None  # INVARIANT: ChatAgent.begin refuses a closed line
        # WHY two forms: aiohttp warns of large bytes, which it would send in one piece.
        data = body if len(body) < LARGE else BytesIO(body)
        try:
            async with self._session.post(self._url, data=data, allow_redirects=False) as response:
                received = await _read(response)
                if received is None:
                    return Fault("broken_response", f"more than {SIZE_LIMIT} bytes", False)
                outcome = self._judge(response.status, response.headers, received)
                if response.status != 200 or isinstance(outcome, Fault):
                    return outcome
                return outcome._replace(signed=read_header(response.headers.getall(HEADER, [])))
        except aiohttp.ConnectionTimeoutError:
            return Fault("unreachable", "no connection in time", True)
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError) as error:
            return Fault("unreachable", type(error).__name__, False)
        except aiohttp.ClientConnectorError as error:
            return Fault("unreachable", type(error).__name__, True)
        except aiohttp.ClientError as error:
            return Fault("broken_response", type(error).__name__, True)

    def _judge(self, status: int, headers: Mapping[str, str], body: bytes) -> Received | Fault:
        if status == 200:
            try:
                return Received(read_answer(body), body)
            except NoAnswerError as error:
                cause = "server_error" if error.code else "broken_response"
                return Fault(cause, _detail(error.detail, self._shown(error.code)), True)
        code = read_error_code(body)
        detail = _detail(f"HTTP {status}", self._shown(code))
        if 300 <= status < 400:
            return Fault("redirect", detail, False)
        if status == 429:
            if code in QUOTA_CODES:
                self._refuse(status, code)
            asked = retry_after(headers, self._clock.wall())
            return Fault("rate_limited", detail, code not in QUOTA_CODES, asked)
        if status in TRANSIENT:
            return Fault("server_error", detail, True, retry_after(headers, self._clock.wall()))
        if code in REFUSAL_CODES:
            return Received(Reply(refused=True), body)
        if code == CONTEXT_CODE:
            raise ContextExceededError(CONTEXT_CODE)
        if status in (401, 402, 403, 404):
            self._refuse(status, self._shown(code))
        return Fault("server_error" if status >= 400 else "broken_response", detail, False)

    def _refuse(self, status: int, code: str) -> None:
        self.refusal = AccessDeniedError(
            REFUSED_CARD,
            "the endpoint refuses the requests of this card",
            url=self._settings.base_url,
            status=status,
            code=code or "none",
        )

    def _shown(self, code: str) -> str:
        return "" if self._key and self._key in code else code


def _detail(what: str, code: str) -> str:
    return f"{what} ({code})" if code else what


async def _read(response: aiohttp.ClientResponse) -> bytes | None:
    """Return the whole body, or None when it is larger than ``SIZE_LIMIT``."""
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > SIZE_LIMIT:
            return None
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
