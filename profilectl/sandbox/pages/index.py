"""The pages from which one finds everything else: the brands with their conversations, and the profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from profilectl.sandbox.http.responses import picture_url
from profilectl.sandbox.pages.rendering import page

if TYPE_CHECKING:
    from profilectl.sandbox.http.local_request import Visit
    from profilectl.sandbox.http.responses import Answer
    from profilectl.sandbox.model.accounts import Account
    from profilectl.sandbox.model.messages import Message
    from profilectl.sandbox.model.profiles import Profile
    from profilectl.sandbox.model.world import World

_FACES = 6  # shown of a brand; the page of profiles has them all
_EXCERPT = 120  # characters of a message in a list


def index(visit: Visit) -> Answer:
    """Where everything is."""
    world = visit.world
    return page(
        "index.html",
        brands=[_brand(visit, account) for account in world.accounts.all() if account.is_brand],
        known=[account for account in world.accounts.all() if not account.is_brand],
        faults=world.faults.all(),
        now_ms=world.store.now_ms(),
    )


def _brand(visit: Visit, account: Account) -> dict[str, Any]:
    world = visit.world
    live = [profile for profile in world.profiles.all(account.user_id) if profile.is_live]
    return {
        "account": account,
        "live": len(live),
        "faces": [_face(visit, profile) for profile in live[:_FACES]],
        "conversations": [_conversation(world, account, partner) for partner in partners(world, account)],
    }


def partners(world: World, brand: Account) -> list[Account]:
    """Everybody with whom a brand has a conversation, the latest first."""
    found = (world.accounts.by_id(user_id) for user_id in world.messages.partners(brand.user_id))
    return [account for account in found if account is not None]


def _conversation(world: World, brand: Account, customer: Account) -> dict[str, Any]:
    latest = world.messages.latest(brand.user_id, customer.user_id)
    return {"customer": customer, "latest": latest, "excerpt": "" if latest is None else _excerpt(world, latest, brand)}


def _excerpt(world: World, message: Message, brand: Account) -> str:
    """The beginning of a message, and who it is from, in one line."""
    profile = None if message.profile_id is None else world.profiles.find(message.profile_id)
    speaker = f"@{brand.handle}" if profile is None else profile.name
    said = " ".join(message.text[:_EXCERPT].split()) or "a picture"
    return f"{speaker}: {said}" if message.sender_id == brand.user_id else said


def profiles(visit: Visit) -> Answer:
    """Every profile of every brand, destroyed ones too."""
    brands = []
    for account in visit.world.accounts.all():
        if account.is_brand:
            faces = [_face(visit, profile) for profile in visit.world.profiles.all(account.user_id)]
            live = [face for face in faces if face["profile"].is_live]
            brands.append({"account": account, "live": live, "gone": [face for face in faces if face not in live]})
    return page("profiles.html", brands=brands)


def _face(visit: Visit, profile: Profile) -> dict[str, Any]:
    return {"profile": profile, "picture": picture_url(visit.request.host_url, profile.picture)}
