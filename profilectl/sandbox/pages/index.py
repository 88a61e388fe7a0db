"""The pages around the conversations: the brands with all of theirs, the profiles, and the PIN login."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from profilectl.sandbox.http.responses import picture_url
from profilectl.sandbox.pages.rendering import page, problem

if TYPE_CHECKING:
    from profilectl.sandbox.http.admin import LocalRequest
    from profilectl.sandbox.http.responses import Response
    from profilectl.sandbox.model.accounts import Account
    from profilectl.sandbox.model.messages import Message
    from profilectl.sandbox.model.profiles import Profile
    from profilectl.sandbox.model.world import World

_SHOWN_PROFILES = 6  # shown of a brand; the page of profiles has them all
_EXCERPT = 120  # characters of a message in a list


def index(request: LocalRequest) -> Response:
    """The start page: every brand with its conversations, and the armed faults."""
    world = request.world
    return page(
        "index.html",
        brands=[_brand(request, account) for account in world.accounts.all() if account.is_brand],
        known=[account for account in world.accounts.all() if not account.is_brand],
        faults=world.faults.all(),
        now_ms=world.store.now_ms(),
    )


def _brand(request: LocalRequest, account: Account) -> dict[str, Any]:
    world = request.world
    live = [profile for profile in world.profiles.all(account.user_id) if profile.is_live]
    return {
        "account": account,
        "live": len(live),
        "profiles": [_profile(request, profile) for profile in live[:_SHOWN_PROFILES]],
        "conversations": [_conversation(world, account, partner) for partner in partners(world, account)],
    }


def partners(world: World, brand: Account) -> list[Account]:
    """Everybody with whom a brand has a conversation, the latest first."""
    accounts = (world.accounts.by_id(user_id) for user_id in world.messages.partners(brand.user_id))
    return [account for account in accounts if account is not None]


def _conversation(world: World, brand: Account, customer: Account) -> dict[str, Any]:
    latest = world.messages.latest(brand.user_id, customer.user_id)
    excerpt = "" if latest is None else _excerpt(world, latest, brand)
    return {"customer": customer, "latest": latest, "excerpt": excerpt, "waits": is_waiting(world, brand, customer)}


def is_waiting(world: World, brand: Account, customer: Account) -> bool:
    """Whether a customer wrote last, and nobody has answered."""
    latest = world.messages.latest(brand.user_id, customer.user_id)
    return latest is not None and latest.sender_id == customer.user_id


def _excerpt(world: World, message: Message, brand: Account) -> str:
    """The beginning of a message, and who it is from, in one line."""
    profile = None if message.profile_id is None else world.profiles.find(message.profile_id)
    sender = f"@{brand.handle}" if profile is None else profile.name
    text = " ".join(message.text[:_EXCERPT].split()) or "a picture"
    return f"{sender}: {text}" if message.sender_id == brand.user_id else text


def profiles(request: LocalRequest) -> Response:
    """Every profile of every brand, destroyed ones too."""
    brands = []
    for account in request.world.accounts.all():
        if account.is_brand:
            entries = [_profile(request, profile) for profile in request.world.profiles.all(account.user_id)]
            live = [entry for entry in entries if entry["profile"].is_live]
            brands.append({"account": account, "live": live, "gone": [entry for entry in entries if entry not in live]})
    return page("profiles.html", brands=brands)


def _profile(request: LocalRequest, profile: Profile) -> dict[str, Any]:
    return {"profile": profile, "picture": picture_url(request.http.host_url, profile.picture)}


def ask_to_authorise(request: LocalRequest) -> Response:
    """The page to which a PIN login sends its user: which app, which account, yes or no."""
    login = request.world.tokens.login(request.http.args.get("oauth_token", ""))
    brands = [account for account in request.world.accounts.all() if account.is_brand]
    chosen = request.http.args.get("screen_name", "").casefold()
    app = request.world.tokens.app()
    return page("authorise.html", login=login, brands=brands, chosen=chosen, app=app)


def authorise(request: LocalRequest) -> Response:
    """The answer to that page: a PIN, unless the user said no."""
    form, tokens = request.http.form, request.world.tokens
    login = tokens.login(form.get("oauth_token", ""))
    if form.get("decision") != "authorise":
        return problem("You did not authorise the app. Nothing was changed; you may close this page.", 200)
    account = request.world.accounts.require(form.get("handle", ""))
    return page("pin.html", pin=tokens.authorise(login, account), app=tokens.app(), account=account)
