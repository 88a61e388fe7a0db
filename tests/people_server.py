"""A small directory of people that speaks the API of Okta, Entra, Google Workspace or Zendesk, as documented."""

from __future__ import annotations

import json
from base64 import b64encode
from urllib.parse import parse_qs, quote, urlsplit

from tests.loopback_server import LoopbackServer

TOKEN = "00Canary-directory-token"
USER = "admin@acme.example"
GROUP = "care"

AUTHORIZATION = {
    "okta": f"SSWS {TOKEN}",
    "entra": f"Bearer {TOKEN}",
    "google": f"Bearer {TOKEN}",
    "zendesk": "Basic " + b64encode(f"{USER}/token:{TOKEN}".encode()).decode(),
}


class Directory:
    """The people of one directory, as ``(id, first, last, email, is_active)``, and how it misbehaves.

    Attributes:
        page_size: people on a page.
        asked: paths with their queries, in the order in which they were asked for.
        failures: ``(status, headers)`` of the next answers.
        next_page: replaces the address of every next page.
    """

    def __init__(self, kind, *people, page_size=2):
        self.kind, self.people, self.page_size = kind, list(people), page_size
        self.asked, self.failures, self.next_page = [], [], None
        self.is_endless = False
        self._server = LoopbackServer(self._reply)
        self.url = self._server.url

    def __enter__(self):
        self._server.__enter__()
        return self

    def __exit__(self, *error):
        self._server.__exit__(*error)

    def close(self):
        """Let nobody connect any more, before the end of the block."""
        self._server.close()

    def _reply(self, request):
        self.asked.append(request.path)
        status, headers, body = self.answer(request.path, request.headers.get("Authorization"))
        return status, headers, json.dumps(body).encode()

    def answer(self, path, authorization):
        """Return status, headers and body."""
        if authorization != AUTHORIZATION[self.kind]:
            return 401, {}, {"error": "invalid token"}
        if self.failures:
            status, headers = self.failures.pop(0)
            return status, headers, {"error": "as ordered"}
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return getattr(self, f"_{self.kind}")(parts.path, query)

    def _page(self, query, name):
        """Return the people of a page, and what the next one is asked for with."""
        start = int(query.get(name, "0"))
        end = start + self.page_size
        more = str(end) if end < len(self.people) or self.is_endless else None
        return self.people[start:end], more

    def _next(self, path, **query):
        more = "&".join(f"{quote(name)}={quote(value)}" for name, value in query.items())
        return self.next_page or f"{self.url}{path}?{more}"

    def _okta(self, path, query):
        if path not in {"/api/v1/users", f"/api/v1/groups/{GROUP}/users"} or query.get("limit") != "200":
            return 404, {}, {"errorCode": "E0000007"}
        people, more = self._page(query, "after")
        link = f'<{self.url}{path}?limit=200>; rel="self"'
        if more:
            link += f', <{self._next(path, after=more, limit="200")}>; rel="next"'
        profile = ("firstName", "lastName", "email")
        return (
            200,
            {"Link": link},
            [
                {
                    "id": id_,
                    "status": "ACTIVE" if is_active else "SUSPENDED",
                    "profile": {**dict(zip(profile, texts, strict=True)), "employeeNumber": "7", "displayName": None},
                }
                for id_, *texts, is_active in people
            ],
        )

    def _entra(self, path, query):
        if path not in {"/v1.0/users", f"/v1.0/groups/{GROUP}/members/microsoft.graph.user"}:
            return 404, {}, {"error": {"code": "Request_ResourceNotFound"}}
        fields = query["$select"].split(",")
        people, more = self._page(query, "$skiptoken")
        body = {"@odata.context": "…"}
        if more:
            following = {"$skiptoken": more, "$select": query["$select"]}
            body["@odata.nextLink"] = self._next(path, **following)
        everything = [
            {"id": id_, "givenName": first, "surname": last, "mail": email, "accountEnabled": on, "mobilePhone": "1"}
            for id_, first, last, email, on in people
        ]
        return 200, {}, {**body, "value": [{k: v for k, v in each.items() if k in fields} for each in everything]}

    def _google(self, path, query):
        is_group = path == f"/admin/directory/v1/groups/{GROUP}/members"
        if not is_group and (path != "/admin/directory/v1/users" or query.get("customer") != "my_customer"):
            return 404, {}, {"error": {"code": 404}}
        people, more = self._page(query, "pageToken")
        token = {"nextPageToken": more} if more else {}
        if is_group:  # those whose id is even, so that a group isn't everybody
            members = [{"id": id_, "email": email} for id_, _, _, email, _ in people if int(id_) % 2 == 0]
            return 200, {}, {"kind": "admin#directory#members", "members": members, **token}
        users = [
            {
                "id": id_,
                "primaryEmail": email,
                "name": {"givenName": first, "familyName": last, "fullName": f"{first} {last}"},
                "suspended": not on,
            }
            for id_, first, last, email, on in people
        ]
        return 200, {}, {"kind": "admin#directory#users", "users": users, **token}

    def _zendesk(self, path, query):
        if path not in {"/api/v2/users", f"/api/v2/groups/{GROUP}/users"} or query.get("page[size]") != "100":
            return 404, {}, {"error": "RecordNotFound"}
        people, more = self._page(query, "page[after]")
        users = [
            {"id": int(id_), "name": f"{first} {last[0]}.", "alias": None, "email": email, "suspended": not on}
            for id_, first, last, email, on in people
        ]
        # As documented, `next` may be there on the last page as well: `has_more` counts.
        following = {"page[size]": "100", "page[after]": more or "999"}
        links = {"next": self._next(path, **following), "prev": None}
        return 200, {}, {"users": users, "meta": {"has_more": more is not None}, "links": links}
