"""The part of GitHub's and GitLab's APIs that comments are read and written with, on loopback."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlsplit

from tests.loopback_server import LoopbackServer, Request

TOKEN = "forge-token"
_PAGE = 100


class Forge(LoopbackServer):
    """Comments of the changes of one repository, as both forges know them.

    Attributes:
        comments: by the number of a change, oldest first; each with id, body and the name of who wrote it.
        merged: the number of the change that a commit came with, by commit.
        calls: method and path of each call.
    """

    def __init__(self, bot: str) -> None:
        self.bot = bot
        self.comments: dict[str, list[dict[str, object]]] = {}
        self.merged: dict[str, int] = {}
        self.calls: list[tuple[str, str]] = []
        super().__init__(self._serve)

    def _serve(self, request: Request):
        body = json.loads(request.body)["body"] if request.body else None
        headers = {name.lower(): value for name, value in request.headers.items()}
        has_token = TOKEN in (headers.get("authorization", "")[7:], headers.get("private-token"))
        parts = urlsplit(request.path)
        query = parse_qs(parts.query)
        status, document = self.answer(request.method, parts.path, query, body) if has_token else (401, {})
        return status, {}, json.dumps(document).encode()

    def add(self, change: str, body: str, author: str) -> dict[str, object]:
        number = sum(map(len, self.comments.values())) + 1
        user = {"id": author, "login": author}
        comment = {"id": number, "body": body, "user": user, "author": user}
        self.comments.setdefault(change, []).append(comment)
        return comment

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: str | None):
        """Return the status and the document of an answer."""
        self.calls.append((method, path))
        if match := re.fullmatch(r"/repos/acme/roster/issues/(\d+)/comments|.*/merge_requests/(\d+)/notes", path):
            change = match[1] or match[2]
            if method == "POST":
                return 201, self.add(change, body, self.bot)
            first = (int(query["page"][0]) - 1) * _PAGE
            return 200, self.comments.get(change, [])[first : first + _PAGE]
        if match := re.fullmatch(r"/repos/acme/roster/issues/comments/(\d+)|.*/notes/(\d+)", path):
            assert method == ("PATCH" if match[1] else "PUT")
            [comment] = [one for many in self.comments.values() for one in many if str(one["id"]) in match.groups()]
            comment["body"] = body
            return 200, comment
        if match := re.fullmatch(r".*/commits/(\w+)/(?:pulls|merge_requests)", path):
            number = self.merged.get(match[1])
            change = {"number": number, "iid": number, "merged_at": "2026-11-30T02:00:00Z", "state": "merged"}
            others = {"number": 99, "iid": 99, "merged_at": None, "state": "opened"}
            return 200, [others, *([change] if number else [])]
        return (200, {"id": self.bot}) if path == "/user" else (404, {})
