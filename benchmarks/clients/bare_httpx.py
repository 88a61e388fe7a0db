"""The least that a sync can be: one httpx client, oauthlib's signatures, the same calls in a loop.

No plan, no ledger, no checks, no progress. Reads one line per agent, "name<TAB>picture", and prints how long the loop
took, so that start-up can be told from it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import httpx
from oauthlib.oauth1 import Client


class Signature(httpx.Auth):
    def __init__(self) -> None:
        names = ("CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET")
        self._client = Client(*(os.environ[f"PROFILECTL_{name}"] for name in names))

    def auth_flow(self, request):
        _, headers, _ = self._client.sign(str(request.url), request.method)
        request.headers["Authorization"] = headers["Authorization"]
        yield request


def read_everything(http: httpx.Client) -> None:
    http.get("/1.1/account/verify_credentials.json").raise_for_status()
    query = {"count": "50"}
    while True:
        page = http.get("/1.1/custom_profiles/list.json", params=query).raise_for_status().json()
        if not page.get("next_cursor"):
            return
        query["cursor"] = page["next_cursor"]


def create(http: httpx.Client, name: str, picture: str) -> None:
    files = {"media": ("avatar.jpeg", Path(picture).read_bytes(), "image/jpeg")}
    uploaded = http.post("/2/media/upload", data={"media_category": "dm_image"}, files=files).raise_for_status().json()
    media = {"media": {"id": uploaded["data"]["id"]}}
    made = http.post("/1.1/custom_profiles/new.json", json={"custom_profile": {"name": name, "avatar": media}})
    made.raise_for_status().json()


def main() -> None:
    agents = [line.split("\t") for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
    url = os.environ["PROFILECTL_API_URL"]
    with httpx.Client(base_url=url, auth=Signature(), timeout=60) as http:
        read_everything(http)
        started = time.perf_counter()
        for name, picture in agents:
            create(http, name, picture)
    print(json.dumps({"loop_seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
