"""List the reference agents, or serve one as a chat endpoint.

Example: undersigned agents list
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from undersigned.cli.output import emit, json_option
from undersigned.cli.values import complete_agent

if TYPE_CHECKING:
    from undersigned.evidence.keys import FileKey


@click.group()
def command() -> None:
    """List the reference agents that calibrate the instrument, or serve one on this machine."""


@command.command("list")
@json_option
def list_agents(as_json: bool) -> int:
    """List the reference agents and what each declares."""
    from undersigned.agents.roster import roster

    agents = list(roster().values())
    data = [{"name": a.name, "summary": a.summary, "declaration": a.declaration} for a in agents]
    width = max(len(a.name) for a in agents)
    lines = [f"{a.name:{width}}  {a.summary}" for a in agents]
    lines += ["", "parameters: follower-locale:TAG  follower-channel:NAME  flaky:PER_CENT"]
    return emit(data, as_json=as_json, text="\n".join(lines))


@command.command("serve")
@click.argument("name", shell_complete=complete_agent)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: any free one.")
@click.option(
    "--token-env", help="Take the private channel's token from this variable (default: random)."
)
@click.option(
    "--relay-key", type=click.Path(path_type=Path, dir_okay=False),
    help="Sign every answer with this provider's key file (default: none is signed).",
)  # fmt: skip
@json_option
def serve_agent(
    name: str, port: int, token_env: str | None, relay_key: Path | None, as_json: bool
) -> int:
    """Serve reference agent NAME behind the OpenAI chat protocol, on this machine only.

    The test hands each scenario over a private channel, keyed by the token; the conversation
    itself carries nothing of it. Ends with Ctrl-C.
    """
    from undersigned.agents.problems import MISSING_KEY
    from undersigned.agents.roster import reference_agent
    from undersigned.core.errors import AccessDeniedError

    agent = reference_agent(name)
    token = os.environ.get(token_env, "") if token_env else ""
    if token_env and not token:
        raise AccessDeniedError(MISSING_KEY, "the variable is not set", variable=token_env)
    signer = _provider_key(relay_key) if relay_key is not None else None
    try:
        asyncio.run(_serve(agent, port, token, signer, as_json=as_json))
    except KeyboardInterrupt:
        return 0
    return 0


def _provider_key(path: Path) -> FileKey:
    """Read the key that signs answers. Raises AccessDeniedError (E-EVD-010, E-EVD-011), UsageError
    (E-AGT-011) when its role is another."""
    from undersigned.agents.problems import BAD_RELAY_KEY
    from undersigned.core.errors import UsageError
    from undersigned.evidence.keys import load_key

    key = load_key(path)
    if key.role != "provider":
        raise UsageError(BAD_RELAY_KEY, "the key has another role", path=path, role=key.role)
    return key


async def _serve(
    agent: object, port: int, token: str, signer: FileKey | None, *, as_json: bool
) -> None:
    from undersigned.agents.reference import ReferenceAgent
    from undersigned.episodes.endpoint import serve

    if not isinstance(agent, ReferenceAgent):
        raise TypeError("only reference agents are served")
    server = await serve(agent, port, token=token, relay_key=signer)
    try:
        shown = {"url": server.url, "agent": agent.name} | (
            {} if token else {"token": server.token}
        )
        lines = [f"serving  {agent.name}", f"url      {server.url}"]
        if not token:
            lines.append(f"token    {server.token}")
        if signer is not None:
            shown["relay_key"] = signer.name
            lines.append(f"signs    {signer.name}, of {signer.party or 'no party'}")
        emit(shown, as_json=as_json, text="\n".join(lines))
        sys.stdout.flush()
        await asyncio.Event().wait()
    finally:
        await server.close()
