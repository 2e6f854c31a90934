"""List the reference agents, or serve one as a chat endpoint.

Example: answerable agents list
"""

from __future__ import annotations

import asyncio
import os
import sys

import click

from answerable.cli.output import emit, json_option


@click.group()
def command() -> None:
    """List the reference agents that calibrate the instrument, or serve one on this machine."""


@command.command("list")
@json_option
def list_agents(as_json: bool) -> int:
    """List the reference agents and what each declares."""
    from answerable.agents.roster import roster

    agents = list(roster().values())
    data = [{"name": a.name, "summary": a.summary, "declaration": a.declaration} for a in agents]
    width = max(len(a.name) for a in agents)
    lines = [f"{a.name:{width}}  {a.summary}" for a in agents]
    lines += ["", "parameters: follower-locale:TAG  follower-channel:NAME  flaky:PER_CENT"]
    return emit(data, as_json=as_json, text="\n".join(lines))


@command.command("serve")
@click.argument("name")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: any free one.")
@click.option(
    "--token-env", help="Take the private channel's token from this variable (default: random)."
)
@json_option
def serve_agent(name: str, port: int, token_env: str | None, as_json: bool) -> int:
    """Serve reference agent NAME behind the OpenAI chat protocol, on this machine only.

    The test hands each scenario over a private channel, keyed by the token; the conversation
    itself carries nothing of it. Ends with Ctrl-C.
    """
    from answerable.agents.problems import MISSING_KEY
    from answerable.agents.roster import reference_agent
    from answerable.core.errors import AccessDeniedError

    agent = reference_agent(name)
    token = os.environ.get(token_env, "") if token_env else ""
    if token_env and not token:
        raise AccessDeniedError(MISSING_KEY, "the variable is not set", variable=token_env)
    try:
        asyncio.run(_serve(agent, port, token, as_json=as_json))
    except KeyboardInterrupt:
        return 0
    return 0


async def _serve(agent: object, port: int, token: str, *, as_json: bool) -> None:
    from answerable.agents.reference import ReferenceAgent
    from answerable.episodes.endpoint import serve

    if not isinstance(agent, ReferenceAgent):
        raise TypeError("only reference agents are served")
    server = await serve(agent, port, token=token)
    try:
        shown = {"url": server.url, "agent": agent.name} | (
            {} if token else {"token": server.token}
        )
        lines = [f"serving  {agent.name}", f"url      {server.url}"]
        if not token:
            lines.append(f"token    {server.token}")
        emit(shown, as_json=as_json, text="\n".join(lines))
        sys.stdout.flush()
        await asyncio.Event().wait()
    finally:
        await server.close()
