"""How X, or somebody in its place, says what isn't so: strikes like those of `faults`, by rules of the sandbox."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from profilectl.sandbox.model.faults import Fault, Kind
from tests.resilience.desired import picture
from tests.resilience.faults import reset_after, timeout_after

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

STALE = 1000.0  # seconds: before the last sync of the scene, when ina wasn't made yet and hugo still lived
_CALLS = {
    "verify_credentials.json": "verify",
    "custom_profiles/list.json": "list",
    "custom_profiles/new.json": "create",
    "custom_profiles/destroy.json": "destroy",
    "/2/media/upload": "upload",
    "events/new.json": "send",
    "events/list.json": "messages",
}


def order(kind: Kind, **rule: Any) -> Callable[..., Any]:
    """Order a lie for the call that is about to be made."""

    def strike(stage, request, proceed):
        with stage.delivery:  # or another call that is under way would get it
            stage.world.faults.add(Fault(kind=kind, call=call_of(request), **rule))
            return proceed()

    return strike


def unanswered(strike: Callable[..., Any]) -> Callable[..., Any]:
    """Let the answer get lost on top."""
    return lambda stage, request, proceed: reset_after(stage, request, lambda: strike(stage, request, proceed))


def too_late(strike: Callable[..., Any]) -> Callable[..., Any]:
    """Let the client give up waiting on top."""
    return lambda stage, request, proceed: timeout_after(stage, request, lambda: strike(stage, request, proceed))


def dates_jump(strike: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    """Put every Date header wrong from here on, on top."""

    def struck(stage, request, proceed):
        stage.world.faults.add(Fault(kind=Kind.DATE_JUMP, times=None, seconds=seconds))
        return strike(stage, request, proceed)

    return struck


def names_change(kind: Kind) -> Callable[..., Any]:
    """Let X write every name its own way from here on."""
    return order(kind, times=None)


def another_account(stage, request, proceed):
    """Answer with the list of an account whose agent is called like one of ours."""
    other = stage.world.ensure_brand("elsewhere", user_id="9999")
    media = stage.world.media.add(other.user_id, picture((5, 5, 5)))
    for name in ("Bea", "Hugo"):
        stage.world.profiles.create(other.user_id, name, media.id)
    return order(Kind.FOREIGN_LIST)(stage, request, proceed)


def twice(stage, request, proceed):
    """Apply a create twice: the first of the two is nobody's."""
    before = stage.record.live().keys()
    answer = order(Kind.TWICE)(stage, request, proceed)
    if call_of(request) == "create":
        name = stage.record.recognise(request).name
        made = {profile_id for profile_id, of in stage.record.live().items() if of == name} - before
        stage.record.strangers.add(min(made, key=int))
    return answer


def bound_id(kind: Kind) -> Callable[..., Any]:
    """Answer with the id of the profile that anna is bound to."""
    return lambda stage, request, proceed: order(kind, id=stage.state_of().binding("anna").profile_id)(
        stage, request, proceed
    )


def strange_id(kind: Kind) -> Callable[..., Any]:
    """Answer with the id of a stranger's profile."""

    def strike(stage, request, proceed):
        stranger = next(one for one, name in stage.record.live().items() if name == "Stranger 3")
        return order(kind, id=stranger)(stage, request, proceed)

    return strike


def call_of(request: httpx.Request) -> str:
    """Return what the sandbox's rules call a request."""
    if re.search(r"custom_profiles/[0-9]+\.json$", request.url.path):
        return "show"
    return next((call for end, call in _CALLS.items() if request.url.path.endswith(end)), "user")
