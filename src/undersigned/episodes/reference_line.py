"""How does a test hand a scenario to a reference endpoint, apart from the conversation?

The private channel's message and its client. Only this machine is spoken to; the token is sent in
a header of this channel and nowhere else.
"""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import NamedTuple

import aiohttp
import msgspec

from undersigned.agents.chat_settings import check_url, is_loopback
from undersigned.agents.problems import PRIVATE_LINE
from undersigned.core.errors import UsageError
from undersigned.worlds.family import Family
from undersigned.worlds.scenario import Scenario, Template

TOKEN_HEADER = "X-Undersigned-Token"
PRIVATE_PATH = "/private/scenario"
CLASH_WAIT_S = 0.01
"""First wait when another conversation with the same texts is just starting; then longer."""
LINE_LIMIT_S = 60.0
"""Seconds until an announcement must have been taken."""


class Announcement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scenario, as what generates it. seed: 64 hexadecimal digits. locales: of the family, as
    loaded. fault_share: as in ``assemble``. instructions, request: as the conversation will start,
    to be compared with what the endpoint's own version renders."""

    family: str
    version: str
    template: Template
    seed: str
    locales: tuple[str, ...]
    instructions: str
    request: str
    fault_share: int = 4


class _Answer(NamedTuple):
    status: int
    text: str


class ReferenceLine:
    """The private channel to one reference endpoint. Use as an async context."""

    def __init__(self, url: str, token: str) -> None:
        """Prepare. url: base address of the endpoint, with or without ``/v1``. token: as the
        endpoint gave it. Raises UsageError (E-AGT-008, E-AGT-010) unless it is on this machine."""
        check_url(url)
        root = url.rstrip("/").removesuffix("/v1")
        host = root.partition("://")[2].rpartition(":")[0] or root.partition("://")[2]
        if not is_loopback(host):
            raise UsageError(PRIVATE_LINE, "a reference endpoint is on this machine only", url=url)
        if not token.isascii() or not token.isprintable() or not token:
            raise UsageError(PRIVATE_LINE, "the token is badly written")
        self._url = root + PRIVATE_PATH
        self._token = token
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> ReferenceLine:
        """Make the session."""
        self._session = aiohttp.ClientSession(
            headers={TOKEN_HEADER: self._token, "Content-Type": "application/json"},
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=LINE_LIMIT_S),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def announce(
        self,
        family: Family,
        scenario: Scenario,
        instructions: str,
        request: str,
        *,
        fault_share: int = 4,
    ) -> None:
        """Hand over the scenario of the conversation that starts next with these texts.

        Waits while another conversation with the same texts is just starting. Raises UsageError
        (E-AGT-010) when the endpoint cannot be reached or does not take it.
        """
        body = msgspec.json.encode(
            Announcement(
                family.name,
                family.version,
                scenario.template,
                scenario.seed.hex(),
                family.texts.locales,
                instructions,
                request,
                fault_share,
            )
        )
        until = time.monotonic() + LINE_LIMIT_S
        wait = CLASH_WAIT_S
        while True:
            status, answer = await self._post(body)
            if status == 200:
                return
            if status != 409 or time.monotonic() + wait > until:
                raise UsageError(
                    PRIVATE_LINE,
                    "the reference endpoint did not take the scenario",
                    status=status,
                    answer=answer,
                )
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, 1.0)

    async def _post(self, body: bytes) -> _Answer:
        if self._session is None:
            raise RuntimeError("the line is not open")
        try:
            async with self._session.post(self._url, data=body, allow_redirects=False) as response:
                return _Answer(response.status, (await response.read()).decode("utf-8", "replace"))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UsageError(
                PRIVATE_LINE,
                "the reference endpoint cannot be reached",
                reason=type(error).__name__,
            ) from error
