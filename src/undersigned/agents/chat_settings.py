"""Which endpoint may be asked, with which key, and what does asking it cost?

Refuses: an address that is neither https nor on this machine, an address with a user name, query
or fragment, a key variable that is not meant for this purpose, a key that no header can carry.

Invariants:
- A key is never a field of the settings, and no error shows one, nor an address that may hold one.
- Only characters that every URL parser reads alike are accepted in an address, so what was checked
  is what is connected to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal

import msgspec

from undersigned.agents.problems import (
    BAD_ENDPOINT,
    FOREIGN_KEY,
    INSECURE_ENDPOINT,
    MISSING_KEY,
    UNUSABLE_KEY,
)
from undersigned.core.canonical import Digest, digest
from undersigned.core.errors import AccessDeniedError, UsageError

KEY_PREFIX = "UNDERSIGNED_KEY_"
"""What a key variable's name starts with, unless the user allows another by name."""

_ADDRESS = re.compile(
    r"(https?)://(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(?::([0-9]{1,5}))?"
    r"(?:/[A-Za-z0-9._~/-]*)?"
)
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,6})?")
_KEY = re.compile(r"[!-~]{1,4096}")
_MILLION = Decimal(1_000_000)
_PLACES = Decimal("0.000001")


class ChatSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An OpenAI-compatible chat endpoint, as a card names it.

    base_url: up to and without ``/chat/completions``. model: the endpoint's own name for it.
    key_env: name of the variable that holds the key, empty for none. temperature: decimal string,
    empty to leave it to the endpoint. max_tokens: of one answer, 0 to leave it to the endpoint;
    max_tokens_field: how the endpoint calls it. timeout_s: seconds for one request, 1 to 3600.
    retries: after the first try, 0 to 10. requests_per_minute: 0 for no limit of ours.
    tokens_in_price, tokens_out_price: decimal strings per 10**6 tokens, empty when unknown.
    currency: ISO 4217 code of the prices, or empty.
    """

    base_url: str
    model: str
    key_env: str = ""
    temperature: str = ""
    max_tokens: int = 0
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    timeout_s: int = 120
    retries: int = 4
    requests_per_minute: int = 0
    tokens_in_price: str = ""
    tokens_out_price: str = ""
    currency: str = ""

    def digest(self) -> Digest:
        """Return the digest of what can change an answer: not the key, its variable, the prices,
        the retries or the pace."""
        return digest(
            {
                "kind": "chat",
                "base_url": self.base_url,
                "model": self.model,
                "temperature": self.temperature,
                "max_tokens": self.max_tokens,
                "timeout_s": self.timeout_s,
            }
        )

    def cost(self, tokens_in: int, tokens_out: int) -> str | None:
        """Return what tokens cost, in ``currency``: a decimal string, rounded up to six places.

        None when a price is unknown.

        >>> ChatSettings("https://a.example", "m", tokens_in_price="2.5",
        ...     tokens_out_price="10").cost(1000, 100)
        '0.003500'
        """
        if not self.tokens_in_price or not self.tokens_out_price:
            return None
        total = tokens_in * Decimal(self.tokens_in_price)
        total += tokens_out * Decimal(self.tokens_out_price)
        return str((total / _MILLION).quantize(_PLACES, ROUND_CEILING))


def check_settings(settings: ChatSettings) -> None:
    """Check every field of the settings. Raises UsageError (E-AGT-005, E-AGT-008)."""
    check_url(settings.base_url)
    texts_fit = {
        "model": 0 < len(settings.model) <= 200 and settings.model.isprintable(),
        "temperature": not settings.temperature or _DECIMAL.fullmatch(settings.temperature),
        "max_tokens": 0 <= settings.max_tokens <= 10_000_000,
        "timeout_s": 1 <= settings.timeout_s <= 3600,
        "retries": 0 <= settings.retries <= 10,
        "requests_per_minute": 0 <= settings.requests_per_minute <= 1_000_000,
        "tokens_in_price": not settings.tokens_in_price
        or _DECIMAL.fullmatch(settings.tokens_in_price),
        "tokens_out_price": not settings.tokens_out_price
        or _DECIMAL.fullmatch(settings.tokens_out_price),
        "currency": not settings.currency or re.fullmatch("[A-Z]{3}", settings.currency),
    }
    for field, fits in texts_fit.items():
        if not fits:
            raise UsageError(
                BAD_ENDPOINT,
                "a setting of the endpoint is out of range",
                field=field,
                value=getattr(settings, field),
            )


def check_url(url: str) -> None:
    """Check that an address is https, or http on this machine.

    Raises UsageError: E-AGT-005 when it is neither, E-AGT-008 when it is badly written or holds a
    user name, a query or a fragment; the address is not shown then, for it may hold a secret.
    """
    match = _ADDRESS.fullmatch(url)
    scheme, host, port = match.groups() if match is not None else ("", "", None)
    if not _is_host(host) or not 0 < int(port or 443) < 65_536:
        raise UsageError(
            BAD_ENDPOINT, "the address of the endpoint is badly written", field="base_url"
        )
    if scheme == "http" and not is_loopback(host):
        raise UsageError(INSECURE_ENDPOINT, "the endpoint is not https", url=url)


def _is_host(host: str) -> bool:
    if host.startswith("["):
        return _address(host) is not None
    return all(_LABEL.fullmatch(label) for label in host.removesuffix(".").split("."))


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Return True for ``localhost``, 127.0.0.0/8 and [::1], and nothing else."""
    address = _address(host)
    return host.lower() == "localhost" or (address is not None and address.is_loopback)


def check_key(
    settings: ChatSettings, environ: Mapping[str, str], allowed: Sequence[str]
) -> str | None:
    """Return the key that the settings name, or None when they name none.

    environ: where variables are looked up. allowed: further names that the user allows. Raises
    AccessDeniedError: E-AGT-004 when the variable may not be read, E-AGT-003 when it is missing or
    empty, E-AGT-009 when a header cannot carry its value. White space around it is dropped.
    """
    name = settings.key_env
    if not name:
        return None
    if not (name.startswith(KEY_PREFIX) or name in allowed) or not _VARIABLE.fullmatch(name):
        raise AccessDeniedError(FOREIGN_KEY, "the card names a foreign variable", variable=name)
    key = environ.get(name, "").strip()
    if not key:
        raise AccessDeniedError(MISSING_KEY, "the variable is not set", variable=name)
    if not _KEY.fullmatch(key):
        raise AccessDeniedError(UNUSABLE_KEY, "the variable's value is no key", variable=name)
    return key
