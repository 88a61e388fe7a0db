"""What people see: the conversation as a customer has it, the profiles, the page that shows a PIN.

No outside resource, no script, every foreign string escaped and isolated from the text around it.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from profilectl.sandbox.refusals import Refusal, Refused
from profilectl.sandbox.visit import Route, Visit
from profilectl.sandbox.wire import HTML, Answer, picture_url

if TYPE_CHECKING:
    from jinja2 import Environment

    from profilectl.sandbox.accounts import Account
    from profilectl.sandbox.messages import Message
    from profilectl.sandbox.world import World

_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
_HARMLESS = "\n\u200c\u200d"  # emoji and some scripts need the joiners; other invisible characters only deceive


def index(visit: Visit) -> Answer:
    """Where everything is."""
    world = visit.world
    brands = [account for account in world.accounts.all() if account.is_brand]
    return _page(
        "index.html",
        brands=[
            {
                "account": brand,
                "live": sum(profile.is_live for profile in world.profiles.all(brand.user_id)),
                "customers": [_who(world, partner) for partner in world.messages.partners(brand.user_id)],
            }
            for brand in brands
        ],
        faults=world.faults.all(),
        now_ms=world.store.now_ms(),
    )


def profiles(visit: Visit) -> Answer:
    """Every profile of every brand, destroyed ones too."""
    world, base = visit.world, visit.request.host_url
    brands = [
        {
            "account": account,
            "profiles": [
                {"profile": profile, "picture": picture_url(base, profile.picture)}
                for profile in world.profiles.all(account.user_id)
            ],
        }
        for account in world.accounts.all()
        if account.is_brand
    ]
    return _page("profiles.html", brands=brands)


def conversation(visit: Visit) -> Answer:
    """One conversation on the customer's telephone."""
    world = visit.world
    brand, customer = (world.accounts.by_handle(visit.path_values[name]) for name in ("brand", "customer"))
    if brand is None or customer is None:
        raise Refused(Refusal.NO_SUCH_PAGE)
    messages = [_bubble(visit, message, brand) for message in world.messages.between(brand.user_id, customer.user_id)]
    return _page("conversation.html", brand=brand, customer=customer, messages=messages)


def _bubble(visit: Visit, message: Message, brand: Account) -> dict[str, Any]:
    """A message with the face that the customer sees beside it."""
    world, base = visit.world, visit.request.host_url
    profile = None if message.profile_id is None else world.profiles.find(message.profile_id)
    media = None if message.media_id is None else world.media.by_id(message.media_id)
    return {
        "message": message,
        "is_brands": message.sender_id == brand.user_id,
        "name": profile.name if profile else None,
        "picture": picture_url(base, profile.picture) if profile else None,
        "attachment": picture_url(base, media.key) if media else None,
    }


def ask_to_authorise(visit: Visit) -> Answer:
    """The page to which a PIN login sends its user: which app, which account, yes or no."""
    login = visit.world.tokens.login(visit.request.args.get("oauth_token", ""))
    brands = [account for account in visit.world.accounts.all() if account.is_brand]
    chosen = visit.request.args.get("screen_name", "").casefold()
    app = visit.world.tokens.app()
    return _page("authorise.html", login=login, brands=brands, chosen=chosen, app=app)


def authorise(visit: Visit) -> Answer:
    """The answer to that page: a PIN, unless the user said no."""
    form, tokens = visit.request.form, visit.world.tokens
    login = tokens.login(form.get("oauth_token", ""))
    if form.get("decision") != "authorise":
        return problem("You did not authorise the app. Nothing was changed; you may close this page.", 200)
    account = visit.world.accounts.require(form.get("handle", ""))
    return _page("pin.html", pin=tokens.authorise(login, account), app=tokens.app(), account=account)


def stylesheet(_visit: Visit) -> Answer:
    """The one stylesheet."""
    return Answer(200, (_HERE / "style.css").read_bytes(), "text/css; charset=utf-8", _HEADERS)


def _who(world: World, user_id: str) -> Account:
    account = world.accounts.by_id(user_id)
    if account is None:
        raise Refused(Refusal.NO_SUCH_PAGE)
    return account


def problem(message: str, status: int) -> Answer:
    """A page that says what went wrong."""
    return _page("problem.html", status, message=message)


def _page(template: str, status: int = 200, **values: Any) -> Answer:
    return Answer(status, _templates().get_template(template).render(values).encode(), HTML, _HEADERS)


@cache
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(visible=visible, clock=clock, day=day)
    return environment


def visible(text: str) -> str:
    """The text with its control, bidirectional and invisible characters spelled out; line breaks stay."""
    return "".join(_spelled_out(character) for character in text)


def _spelled_out(character: str) -> str:
    if character in _HARMLESS or unicodedata.category(character) not in {"Cc", "Cf", "Cs"}:
        return character
    return f"<U+{ord(character):04X}>"


def clock(epoch_ms: int) -> str:
    """The time of day."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).strftime("%H:%M")


def day(epoch_ms: int) -> str:
    """The date."""
    date = datetime.fromtimestamp(epoch_ms / 1000, UTC)
    return f"{date.day} {date:%B %Y}"


ROUTES = (
    Route("GET", "/", index, is_page=True),
    Route("GET", "/_sandbox/profiles", profiles, is_page=True),
    Route("GET", "/_sandbox/conversations/<brand>/<customer>", conversation, is_page=True),
    Route("GET", "/_sandbox/style.css", stylesheet, is_page=True),
    Route("GET", "/oauth/authorize", ask_to_authorise, is_page=True),
    Route("POST", "/oauth/authorize", authorise, is_page=True),
)
