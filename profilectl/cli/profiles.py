"""``profiles list``, ``adopt``, ``forget`` and ``destroy``: the remote side, and whose it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

from profilectl.cli.context import Context
from profilectl.cli.options import add_group, argument, option
from profilectl.cli.prompts import require_consent, require_name
from profilectl.errors import InputRefused, UsageError
from profilectl.ledger.accounts import check_account, require_distinct, unknown_account
from profilectl.plan.intents import known_ids
from profilectl.plan.moves import follow
from profilectl.plan.notices import Notice, NoticeKind
from profilectl.profiles import manual_changes
from profilectl.profiles.ownership import ClassifiedProfile, classify
from profilectl.render import json_documents
from profilectl.render.console import info
from profilectl.roster.brands import only_brand
from profilectl.roster.consent import shown_picture
from profilectl.roster.lookup import agent_of
from profilectl.system.host import now_ms
from profilectl.text.escape import visible
from profilectl.text.ids import is_id

if TYPE_CHECKING:
    import typer

    from profilectl.api.client import XClient
    from profilectl.ledger.protocol import Ledger, LedgerReader
    from profilectl.model import Brand, LedgerState
    from profilectl.profiles.manual_changes import Adoption

_HEADERS = ("brand", "id", "status", "agent", "name", "created")


def register(app: typer.Typer, word: str | None) -> None:
    """Add the ``profiles`` group."""
    add_group(
        app,
        "profiles",
        "The profiles at X: ours, retired, strangers.",
        {"list": listing, "adopt": adopt, "forget": forget, "destroy": destroy},
        word,
    )


def listing(context: Context) -> None:
    """List the profiles at X, and whose they are.

    bound: an agent's. retired: replaced, about to go. unmanaged: not ours. namesake: not ours, with an agent's
    name. lost: an agent's, but gone from X; "settling until 15:04" while X may just not list it yet.
    """
    ledger = context.ledger_for_reading()
    profiles: list[ClassifiedProfile] = []
    clients = {brand: context.connect(brand) for brand in context.brands()}
    accounts = {brand: client.verify_credentials() for brand, client in clients.items()}
    require_distinct({brand.key: account for brand, account in accounts.items()}, accounts)
    for brand, account in accounts.items():
        check_account(brand, account, ledger)  # or every profile of a wrong account would be listed as a stranger's
        names = {agent.name for agent in context.roster.agents_of(brand.key)}
        listed = clients[brand].list_profiles()
        state = follow(ledger.state_of(account.user_id), context.roster.moved).state
        observed_ms, settle_after = clients[brand].now_ms(), context.roster.policy.settle_after
        profiles += classify(brand.key, listed, state, names, observed_ms=observed_ms, settle_after=settle_after)
        former, is_known = context.kept_heads.ledger_of(account.user_id), ledger.knows(account.user_id)
        unknown = unknown_account(account, len(listed), former, is_known=is_known)
        if unknown is not None:
            context.warn_of(unknown)
    if not profiles and not (context.is_quiet or context.wants_json):
        where = ", ".join(brand.key for brand in context.brands())
        info(f"X has no profiles of {where} yet: `profilectl sync` makes those of the roster")
    _show_listing(context, profiles)


def _show_listing(context: Context, profiles: Sequence[ClassifiedProfile]) -> None:
    from profilectl.render.phrases import notice_lines, settling
    from profilectl.render.tables import listing as table_of

    document = json_documents.profiles(profiles)
    rows = [[row[key] or "" for key in _HEADERS] for row in document["profiles"]]
    drawn = [list(row) for row in rows]  # a script that reads the rows knows the five words only
    for row, entry in zip(drawn, profiles, strict=True):
        if entry.settling_until is not None:
            row[_HEADERS.index("status")] = settling(entry.settling_until)
    context.output.show(document, _HEADERS, rows, table=lambda: table_of(_HEADERS, drawn))
    for line in notice_lines(_settling_notices(profiles)):
        context.remark(line)


def _settling_notices(profiles: Sequence[ClassifiedProfile]) -> Iterator[Notice]:
    """Yield what `diff` and `sync` say, too, of profiles that X doesn't list yet."""
    for entry in profiles:
        if entry.settling_until is not None:
            yield Notice(
                entry.brand,
                entry.agent or "",
                NoticeKind.SETTLING,
                at_ms=entry.settling_until,
                profile_id=entry.profile.id,
            )


def adopt(
    context: Context,
    agent: Annotated[str, argument("AGENT", "Whose profile it is.")],
    profile_id: Annotated[str, argument("ID", "The profile at X.")],
    yes: Annotated[bool, option("--yes", "Adopt without asking.")] = False,
) -> None:
    """Bind a profile that exists at X to an agent.

    Its name and its picture are compared with the roster's. Where both are the agent's, it is as if sync had made
    it. Where one differs, you are asked on a terminal (elsewhere it needs --yes), and the next sync replaces the
    profile by what the roster says.
    """
    context.require_admin("adopt profiles")
    _require_digits(profile_id)
    brand = _brand_at_x(context, profile_id, agent)
    client = context.connect(brand)
    look = partial(_find_adoption, context, client, brand, agent, profile_id)
    adoption = look(context.ledger_for_reading())
    _require_adoption(context, adoption, yes=yes)
    ledger = context.ledger_for_writing()
    while not _adopt(context, client, ledger, look, None if yes else adoption):
        info("something has changed meanwhile, so nothing was adopted")
        adoption = look(ledger)
        _require_adoption(context, adoption, yes=yes)


def _find_adoption(
    context: Context, client: XClient, brand: Brand, agent: str, profile_id: str, ledger: LedgerReader
) -> Adoption:
    current = context.reread()
    owner = agent_of(current.roster, brand, agent)
    picture = current.load_pictures([owner])[owner.avatar]  # one that a later sync would refuse is refused here
    return manual_changes.find_adoption(client, ledger, brand, owner, picture, profile_id, current.roster.moved)


def _require_adoption(context: Context, adoption: Adoption, *, yes: bool) -> None:
    if yes:
        return  # what differs is told when it is bound
    differences = tuple(_differences(adoption))
    if differences and not context.may_ask:
        hint = "--yes adopts it all the same; the next sync replaces what isn't the roster's"
        raise InputRefused(f"not adopted: {'; '.join(differences)}", hint=hint)
    for difference in differences:
        info(difference)
    agent, profile = adoption.agent.key, adoption.profile
    question = f"Bind {agent} to {_shown(profile.id, profile.name)}{context.on_local_x}?" + (
        f" {retired}." if (retired := _retired(adoption)) else ""
    )
    require_consent(context, question, "adopted", yes=False)


def _adopt(
    context: Context,
    client: XClient,
    ledger: Ledger,
    look: Callable[[LedgerReader], Adoption],
    agreed: Adoption | None,
) -> bool:
    """Look once more under the lock, bind and tell; False when it isn't what a person agreed to, None for anything."""
    with ledger.lock(manual_changes.MAX_WAIT, "profilectl profiles adopt", context.announce_wait):
        adoption = look(ledger)
        if agreed is not None and not agreed.agrees_with(adoption):
            return False
        user_ids = {adoption.brand.key: adoption.account.user_id}
        with ledger.noting(context.reread().profile_facts(user_ids).of):
            manual_changes.adopt(ledger, adoption, client.now_ms())
    if agreed is None:
        for difference in _differences(adoption):
            info(f"warning: {difference}")
    agent, profile = adoption.agent, adoption.profile
    context.output.show(
        json_documents.adopt(brand=agent.brand, agent=agent.key, profile_id=profile.id, name=profile.name),
        lines=[f"{agent.key} is bound to {_shown(profile.id, profile.name)}{context.on_local_x}"],
    )
    if not (context.is_quiet or context.wants_json):
        if adoption.has_other_name or adoption.has_other_picture:
            info("the next `profilectl sync` replaces it by a profile with the roster's name and picture")
        if retired := _retired(adoption):
            info(f"{retired}, and a later sync destroys it; `{_undoing(context, adoption)}` takes it back until then")
    return True


def _differences(adoption: Adoption) -> Iterator[str]:
    """Yield what speaks against it that the profile is the agent's."""
    agent, profile, candidate = adoption.agent, adoption.profile, adoption.candidate
    if adoption.has_other_name:
        yield f'{_shown(profile.id, profile.name)} has another name than {agent.key}, who is "{visible(agent.name)}"'
    if adoption.has_other_picture:
        yield f"profile {profile.id} shows another picture than {agent.key}'s, {visible(shown_picture(agent))}"
    if candidate.problem is not None:
        yield f"the picture of profile {profile.id} can't be compared with {agent.key}'s: {visible(candidate.problem)}"


def _retired(adoption: Adoption) -> str | None:
    former = adoption.former
    if former is None or former.profile_id == adoption.profile.id:
        return None
    return f"{adoption.agent.key}'s {_shown(former.profile_id, former.name)} is retired then"


def _undoing(context: Context, adoption: Adoption) -> str:
    agent, former = adoption.agent, adoption.former
    former_id = "" if former is None else former.profile_id
    return visible(json_documents.adopt_command(agent.brand, agent.key, former_id, context.again()))


def _shown(profile_id: str, name: str) -> str:
    return f'profile {profile_id} "{visible(name)}"'


def _brand_in_ledger(context: Context, is_meant: Callable[[LedgerState], bool]) -> Brand | None:
    """Return the only brand of whose account the ledger knows what a command is about; None where that isn't one."""
    brands = context.meant(context.brands())
    if len(brands) == 1:
        return brands[0]
    ledger = context.ledger_for_reading()
    accounts = ((brand, ledger.account_of(brand.key)) for brand in brands)
    matching = [brand for brand, account in accounts if account and is_meant(ledger.state_of(account.user_id))]
    return matching[0] if len(matching) == 1 else None


def _brand_at_x(context: Context, profile_id: str, agent: str | None = None) -> Brand:
    """Return the only brand at whose account X lists a profile; with an `agent` only that agent's brands count.

    UsageError names the brands to choose from where there is no such one, or several.
    """
    brands = context.meant(context.brands())
    if agent is not None:
        brands = [
            brand for brand in brands if any(member.key == agent for member in context.roster.agents_of(brand.key))
        ] or brands
    if len(brands) > 1:  # or X needn't be asked
        listed = [
            brand
            for brand in brands
            if any(profile.id == profile_id for profile in context.connect(brand).list_profiles())
        ]
        brands = listed or brands
    return only_brand(brands)


def _require_digits(profile_id: str) -> None:
    if not is_id(profile_id):
        raise UsageError(f"a profile id is digits only, the first of which isn't 0, not {visible(profile_id)}")


def forget(
    context: Context,
    agent: Annotated[str, argument("AGENT", "Whose profile it is; in the roster or not.")],
    yes: Annotated[bool, option("--yes", "Forget without asking.")] = False,
) -> None:
    """Drop an agent's binding, and leave the profile at X.

    Nothing is asked of X. The profile is a stranger from then on: nobody can send with it, sync never touches it, and
    it stops the agent as a namesake until it is adopted again or destroyed.
    """
    context.require_admin("forget profiles")
    brand = _brand_in_ledger(context, lambda state: state.binding(agent) is not None) or context.the_brand()
    _, binding = manual_changes.find_binding(context.ledger_for_reading(), context.roster, brand, agent)
    shown, where = _shown(binding.profile_id, binding.name), context.on_local_x
    require_consent(context, f"Forget{where} that {shown} is {agent}'s? It stays at X.", "forgotten", yes=yes)
    manual_changes.forget(context.ledger_for_writing(), context.roster, brand, binding, now_ms, context.announce_wait)
    undo = json_documents.adopt_command(brand.key, agent, binding.profile_id, context.again())
    identity = {"brand": brand.key, "agent": agent, "profile_id": binding.profile_id, "name": binding.name}
    # `profiles adopt` takes only agents whom the roster names.
    in_roster = any(member.key == agent for member in context.roster.agents_of(brand.key))
    context.output.show(
        json_documents.forget(**identity, undo=undo),
        lines=[
            f"{shown} isn't {agent}'s any more{where}: it is still at X, as a stranger",
            f"undo{'' if in_roster else f', once {agent} is in the roster'}: {visible(undo)}",
        ],
    )


def destroy(
    context: Context,
    profile_id: Annotated[str, argument("ID", "The profile at X.")],
    yes: Annotated[bool, option("--yes", "Destroy without asking for the name.")] = False,
) -> None:
    """Destroy one profile at X that no agent uses.

    For retired profiles and strangers only; its name has to be typed, because it can't be undone. A profile that an
    agent uses goes with the agent: by offboard, or by leaving the roster.
    """
    context.require_admin("destroy profiles")
    _require_digits(profile_id)
    known = _brand_in_ledger(context, lambda state: profile_id in known_ids(state))
    brand = known or _brand_at_x(context, profile_id)
    client = context.connect(brand)
    unused = manual_changes.find_unused(client, context.ledger_for_reading(), brand, profile_id)
    question = f"Destroy {_shown(profile_id, unused.name)}{context.on_local_x} for good? Type its name"
    require_name(context, question, unused.name, "destroyed", yes=yes)
    destroyed = manual_changes.destroy(
        client, context.ledger_for_writing(), unused, context.announce_wait, context.wait
    )
    lines = [f"{_shown(profile_id, destroyed.name)} is destroyed{context.on_local_x}"]
    context.output.show(json_documents.destroy(destroyed), lines=lines)
