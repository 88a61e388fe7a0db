"""``profiles list`` and ``profiles adopt``: the remote side, and whose it is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.context import Context
from profilectl.cli.options import command
from profilectl.errors import InputRefused, UsageError
from profilectl.names import visible
from profilectl.render import documents
from profilectl.render.consoles import draw, is_terminal, write, write_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from profilectl.model import Agent, Brand, Holdings, Profile

_HEADERS = ("brand", "id", "status", "agent", "name", "created")


def register(app: typer.Typer) -> None:
    """Add the ``profiles`` group."""
    group = typer.Typer(help="The profiles at X: ours, retired, strangers.", no_args_is_help=True)
    group.command("list")(command(listing))
    group.command("adopt")(command(adopt))
    app.add_typer(group, name="profiles")


def listing(context: Context) -> None:
    """List the profiles at X, and whose they are.

    bound: an agent's. retired: replaced, about to go. unmanaged: not ours. namesake: not ours, with an agent's
    name. lost: an agent's, but gone from X.
    """
    from profilectl.cli.gathering import check_account

    ledger = context.ledger_for_reading()
    rows: list[documents.Document] = []
    for brand in context.brands():
        client = context.connect(brand)
        account = client.verify_credentials()
        check_account(brand, account, ledger)
        names = {agent.name for agent in context.roster.agents_of(brand.key)}
        rows += classify(brand.key, client.list_profiles(), ledger.holdings(account.user_id), names)
    if context.wants_json:
        write(documents.dump(documents.profiles(rows)))
        return
    lines = [[row[key] or "" for key in ("brand", "id", "status", "agent", "name", "created")] for row in rows]
    if is_terminal(sys.stdout):
        from profilectl.render.tables import listing as table

        draw(table(_HEADERS, lines))
    else:
        write_rows(lines)


def classify(
    brand: str, profiles: Iterable[Profile], holdings: Holdings, names: set[str]
) -> Iterator[documents.Document]:
    """Say of every profile whose it is; bound ones that X doesn't list come last, as lost."""
    bound = {binding.profile_id: binding for binding in holdings.bindings}
    retired = {one.profile_id: one for one in holdings.retired}
    listed = set()
    for profile in profiles:
        listed.add(profile.id)
        owner = bound.get(profile.id) or retired.get(profile.id)
        ours = "bound" if profile.id in bound else "retired"
        status = ours if owner is not None else "namesake" if profile.name in names else "unmanaged"
        yield {
            "id": profile.id,
            "name": profile.name,
            "status": status,
            "brand": brand,
            "agent": None if owner is None else owner.agent,
            "created": documents.timestamp(profile.created_ms),
            "avatar_url": profile.avatar_url,
        }
    for binding in holdings.bindings:
        if binding.profile_id not in listed:
            yield {
                "id": binding.profile_id,
                "name": binding.name,
                "status": "lost",
                "brand": brand,
                "agent": binding.agent,
                "created": documents.timestamp(binding.created_ms),
                "avatar_url": binding.avatar_url,
            }


def adopt(
    context: Context,
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Whose profile it is.")],
    profile_id: Annotated[str, typer.Argument(metavar="ID", help="The profile at X.")],
    yes: Annotated[bool, typer.Option("--yes", help="Adopt without asking.")] = False,
) -> None:
    """Bind a profile that exists at X to an agent.

    From then on it is as if sync had made it. The picture can't be compared (X serves a re-encoded copy), so it is
    taken to be the one that the roster names.
    """
    from profilectl.cli.gathering import check_account

    if not (profile_id.isascii() and profile_id.isdigit()):
        raise UsageError(f"a profile id is digits only, not {visible(profile_id)}")
    brand = context.the_brand()
    one = _agent_of(context, brand, agent)
    picture = context.inspect_pictures([one])[one.avatar]
    prepared = context.prepare_pictures([picture])[picture.digest]
    client = context.connect(brand)
    account = client.verify_credentials()
    profile = client.show_profile(profile_id)
    question = f'Bind {agent} to profile {profile.id} "{visible(profile.name)}"?'
    if not yes and not (context.may_ask and typer.confirm(question, err=True)):
        raise UsageError("not adopted: nobody agreed", hint="--yes agrees without being asked")
    ledger = context.ledger_for_writing()
    with ledger.lock(60, "profilectl profiles adopt", context.announce_wait):
        check_account(brand, account, ledger)
        ledger.claim(brand.key, account, client.now_ms())
        ledger.adopt(
            account.user_id,
            one.key,
            profile,
            avatar=picture.digest,
            perceptual_hash=prepared.perceptual_hash,
            protected=one.protected,
            now_ms=client.now_ms(),
        )
    if not context.is_quiet:
        write(f'{agent} is bound to profile {profile.id} "{visible(profile.name)}"')


def _agent_of(context: Context, brand: Brand, key: str) -> Agent:
    from profilectl.cli.gathering import unknown_agent

    agents = context.roster.agents_of(brand.key)
    for agent in agents:
        if agent.key == key:
            return agent
    if any(agent.key == key for agent in context.roster.agents):
        raise InputRefused(f"{key} doesn't speak for brand {brand.key}")
    raise unknown_agent(key, {agent.key for agent in agents})
