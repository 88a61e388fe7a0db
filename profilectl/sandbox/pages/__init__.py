"""What people see: the conversation as a customer has it, the profiles, the page that shows a PIN.

No outside resource, one small script of our own, every foreign string escaped and isolated from the text around it.
What a page sends passes `access.check_origin`, which turns away the forms of any other site.
"""

from __future__ import annotations

from profilectl.sandbox.http.admin import Route
from profilectl.sandbox.pages import conversation, index
from profilectl.sandbox.pages.rendering import icon, locked, problem, script, stylesheet

__all__ = ["ROUTES", "locked", "problem"]

_CONVERSATION = "/_sandbox/conversations/<brand>/<customer>"

ROUTES = (
    Route("GET", "/", index.index, is_page=True),
    Route("GET", "/_sandbox/profiles", index.profiles, is_page=True),
    Route("POST", "/_sandbox/conversations", conversation.begin, is_page=True),
    Route("GET", _CONVERSATION, conversation.conversation, is_page=True),
    Route("POST", _CONVERSATION, conversation.reply, is_page=True),
    Route("GET", f"{_CONVERSATION}/talk", conversation.talk, is_page=True),
    Route("GET", "/_sandbox/style.css", stylesheet, is_page=True),
    Route("GET", "/_sandbox/live.js", script, is_page=True),
    Route("GET", "/_sandbox/icon.svg", icon, is_page=True),
    Route("GET", "/oauth/authorize", index.ask_to_authorise, is_page=True),
    Route("POST", "/oauth/authorize", index.authorise, is_page=True),
)
