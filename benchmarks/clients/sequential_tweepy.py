"""The script that people write: tweepy, one call after the other.

tweepy knows no custom profiles, but its `request` takes any call of v1.1. Reads one line per agent,
"name<TAB>picture", and prints how long the loop took, so that start-up can be told from it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import requests
import tweepy

JSON = tweepy.parsers.JSONParser()


class PlainHttpSession(requests.Session):
    """Speaks http where tweepy writes https into every address; changed before the call is signed."""

    def request(self, method, url, **options):
        return super().request(method, url.replace("https://", "http://", 1), **options)


def connect() -> tweepy.API:
    names = ("CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET")
    auth = tweepy.OAuth1UserHandler(*(os.environ[f"PROFILECTL_{name}"] for name in names))
    scheme, _, host = os.environ["PROFILECTL_API_URL"].partition("://")
    api = tweepy.API(auth, host=host, upload_host=host)
    if scheme == "http":
        api.session = PlainHttpSession()
    return api


def read_everything(api: tweepy.API) -> None:
    api.verify_credentials()
    query = {"count": 50}
    while True:
        answer = api.request("GET", "custom_profiles/list", params=query, parser=JSON)
        page = answer[0] if isinstance(answer, tuple) else answer  # with a cursor tweepy answers in pairs
        if not page.get("next_cursor"):
            return
        query["cursor"] = page["next_cursor"]


def create(api: tweepy.API, name: str, picture: str) -> None:
    media = api.media_upload(picture, media_category="dm_image")
    profile = {"name": name, "avatar": {"media": {"id": media.media_id_string}}}
    api.request("POST", "custom_profiles/new", json_payload={"custom_profile": profile}, parser=JSON)


def main() -> None:
    agents = [line.split("\t") for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
    api = connect()
    read_everything(api)
    started = time.perf_counter()
    for name, picture in agents:
        create(api, name, picture)
    print(json.dumps({"loop_seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
