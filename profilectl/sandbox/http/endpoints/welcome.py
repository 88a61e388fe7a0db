"""Welcome messages, to be read: they are made on the control plane, as X documents no place for a profile in them."""

from __future__ import annotations

from typing import Any

from profilectl.sandbox.http import responses
from profilectl.sandbox.http.request import ApiRequest, Endpoint
from profilectl.sandbox.http.responses import Response, json_response
from profilectl.sandbox.model.profiles import Position, read_cursor

PAGE, MAX_PAGE = 20, 50


def list_page(request: ApiRequest) -> Response:
    """A page of the account's welcome messages, newest first; a page that isn't the last one has a cursor."""
    count, position = request.number("count", PAGE, MAX_PAGE), read_cursor(request.query.get("cursor"))
    messages = request.world.welcome.mine(request.user_id, count + 1, position.before)
    page = messages[:count]
    body: dict[str, Any] = {
        "welcome_messages": [responses.welcome_message(message) for message in page],
        "apps": responses.apps(request.world.tokens.app()) if page else {},
    }
    if len(messages) > count:
        body["next_cursor"] = Position(int(page[-1].id)).cursor()
    return json_response(body)


ENDPOINTS = (
    Endpoint(
        "welcome-messages",
        "GET",
        "/1.1/direct_messages/welcome_messages/list.json",
        list_page,
        "welcome-messages",
        needs_messages=True,
    ),
)
