"""A stand-in for X that costs next to nothing: asyncio, one thread, no signature checked, no picture decoded.

What a client needs beyond it is then the client's own doing. It answers five calls correctly: verify_credentials, the
list in pages, one profile, uploads of both versions, and creates. It counts them by kind.

Run as ``python -m benchmarks.server [--delay SECONDS] [--tls CERTIFICATE KEY]``; it prints its port, with ``--tls``
also the port that speaks TLS, and ends when its standard input does: it can't outlive the one who started it.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import json
import ssl
import sys
import time
from collections import Counter
from contextlib import suppress
from email.utils import formatdate
from urllib.parse import parse_qs

USER_ID = "4242"
HANDLE = "acmecare"
_PAGE = 50
_NO_LIMITS = "x-rate-limit-limit: 1000000\r\n"  # or a sync of 1,000 would stop after the 500 pictures of X's window
_ACCOUNT = {"id": int(USER_ID), "id_str": USER_ID, "screen_name": HANDLE, "name": HANDLE, "verified": False}


class World:
    """One account with its profiles, and how often each kind of call has come."""

    def __init__(self) -> None:
        self.profiles: dict[int, dict] = {}
        self.media: set[str] = set()
        self.counts: Counter[str] = Counter()
        self._ids = itertools.count(10**18)

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, dict]:
        path, _, query = target.partition("?")
        kind, deed = self._route(method, path)
        if not kind.startswith("_"):
            self.counts[kind] += 1
            self.counts["bytes"] += len(body)
        return deed(path, query, body)

    def _route(self, method: str, path: str):
        routes = {
            ("GET", "/1.1/account/verify_credentials.json"): ("verify", lambda *_: (200, _ACCOUNT)),
            ("GET", "/1.1/custom_profiles/list.json"): ("list", self._list),
            ("POST", "/1.1/custom_profiles/new.json"): ("create", self._create),
            ("POST", "/2/media/upload"): ("upload", self._upload),
            ("POST", "/1.1/media/upload.json"): ("upload", self._upload),
            ("GET", "/1.1/application/rate_limit_status.json"): ("other", lambda *_: (200, {"resources": {}})),
            ("GET", "/_counts"): ("_counts", lambda *_: (200, dict(self.counts))),
            ("POST", "/_reset"): ("_reset", self._reset),
        }
        return routes.get((method, path), ("other", lambda *_: (404, {"errors": [{"code": 34, "message": "none"}]})))

    def _list(self, _path: str, query: str, _body: bytes) -> tuple[int, dict]:
        cursor = parse_qs(query).get("cursor")
        below = int(base64.b64decode(cursor[0])) if cursor else 2**63
        ids = [one for one in sorted(self.profiles, reverse=True) if one < below]
        page = {"custom_profiles": [self.profiles[one] for one in ids[:_PAGE]]}
        if len(ids) > _PAGE:
            page["next_cursor"] = base64.b64encode(str(ids[_PAGE - 1]).encode()).decode()
        return 200, page

    def _create(self, _path: str, _query: str, body: bytes) -> tuple[int, dict]:
        wanted = json.loads(body)["custom_profile"]
        if wanted["avatar"]["media"]["id"] not in self.media:
            return 400, {"errors": [{"code": 324, "message": "no such media"}]}
        number = next(self._ids)
        self.profiles[number] = {
            "id": str(number),
            "created_timestamp": str(int(time.time() * 1000)),
            "name": wanted["name"],
            "avatar": {"media": {"url": f"https://pbs.example/{number}.jpg"}},
        }
        return 200, {"custom_profile": self.profiles[number]}

    def _upload(self, path: str, _query: str, body: bytes) -> tuple[int, dict]:
        if b'name="media"' not in body[:1000]:
            return 400, {"errors": [{"code": 38, "message": "media parameter is missing"}]}
        number = str(next(self._ids))
        self.media.add(number)
        if path.startswith("/2/"):
            return 200, {"data": {"id": number, "media_key": f"3_{number}", "expires_after_secs": 86400}}
        return 200, {"media_id": int(number), "media_id_string": number, "expires_after_secs": 86400}

    def _reset(self, *_: object) -> tuple[int, dict]:
        self.profiles, self.media, self.counts = {}, set(), Counter()
        return 200, {}


class Connection(asyncio.Protocol):
    """One kept-alive HTTP/1.1 connection; answers leave in one piece, `delay` seconds after the call has come."""

    def __init__(self, world: World, delay: float) -> None:
        self._world = world
        self._delay = delay
        self._received = bytearray()
        self._head: tuple[str, str, int, int] | None = None  # method, target, where the body begins and ends

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while self._head is not None or self._read_head():
            method, target, begin, end = self._head
            if len(self._received) < end:
                return
            body = bytes(self._received[begin:end])
            del self._received[:end]
            self._head = None
            self._answer(*self._world.answer(method, target, body))

    def _read_head(self) -> bool:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return False
        first, *fields = self._received[:end].decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        length = next((field[15:] for field in fields if field[:15].lower() == "content-length:"), "0")
        self._head = (method, target, end + 4, end + 4 + int(length))
        return True

    def _answer(self, status: int, document: dict) -> None:
        body = json.dumps(document).encode()
        head = (
            f"HTTP/1.1 {status} {'OK' if status == 200 else 'Refused'}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nDate: {formatdate(usegmt=True)}\r\n{_NO_LIMITS}\r\n"
        )
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, head.encode() + body)
        else:
            self._transport.write(head.encode() + body)


async def serve(delay: float, tls: list[str] | None) -> None:
    """Print the ports, and serve until standard input ends."""
    contexts: list[ssl.SSLContext | None] = [None]
    if tls:
        secured = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        secured.load_cert_chain(*tls)
        contexts.append(secured)
    world, loop = World(), asyncio.get_running_loop()
    for context in contexts:
        server = await loop.create_server(lambda: Connection(world, delay), "127.0.0.1", 0, ssl=context, backlog=128)
        print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--tls", nargs=2)
    asked = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(asked.delay, asked.tls))


if __name__ == "__main__":
    main()
