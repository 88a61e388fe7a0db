"""The credential files of twurl, t and xurl, which keep their secrets in plain text; read, never written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from profilectl.credentials.formats import KEYS, account_name, secret_value
from profilectl.credentials.private_files import MAX_BYTES, read_exposed
from profilectl.errors import CredentialsError
from profilectl.secret import Credentials
from profilectl.text.escape import visible

_MOST: Final = 1000  # accounts of a file: YAML's aliases could make millions out of 64 KiB
_TWURL: Final = ("consumer_key", "consumer_secret", "token", "secret")  # of an account of twurl and t
_XURL: Final = ("consumer_key", "consumer_secret", "access_token", "token_secret")  # of an OAuth 1.0a token
_HINT: Final = "`profilectl auth login` takes the four values by hand"


class Offer(Struct, frozen=True):
    """One account of another tool's file."""

    path: Path
    handle: str | None  # as the tool has it, without @; xurl doesn't say
    app: str | None  # what xurl calls the app; None for the others
    credentials: Credentials | None
    problem: str | None
    chosen: bool  # the tool uses this one when none is named

    @property
    def name(self) -> str:
        """Handle or app, as ``--account`` takes it, not made visible."""
        return self.handle or self.app or ""


class Offers(Struct, frozen=True):
    """The accounts of a file, and who else could get at it."""

    path: Path
    offers: tuple[Offer, ...]
    exposure: CredentialsError | None  # says who else can read or change the file


def usual_files(home: Path) -> list[Path]:
    """Return the files of the three tools that exist under a home folder."""
    xurl = home / ".xurl"  # a file in older versions
    candidates = (home / ".twurlrc", xurl / "auth.yml" if xurl.is_dir() else xurl, home / ".trc")
    return [path for path in candidates if path.exists()]


def read_offers(path: Path) -> Offers:
    """Return the accounts of a file, whichever of the three tools has written it.

    Raises:
        CredentialsError: it can't be read, or is none of theirs. Nothing of its content is shown.
    """
    name = visible(str(path))
    content, exposure = read_exposed(path)
    if len(content) > MAX_BYTES:
        raise CredentialsError(f"{name} holds more than {MAX_BYTES // 1024} KiB", hint=_HINT)
    document = _parse(content, name)
    offers = tuple(islice(_offers(path, document), _MOST + 1))
    if len(offers) > _MOST:
        raise CredentialsError(f"{name} names more than {_MOST} accounts", hint=_HINT)
    if not offers and not {"profiles", "apps", "oauth1_tokens", "oauth2_tokens"} & document.keys():
        raise CredentialsError(f"{name} is no file of twurl, t or xurl", hint=_HINT)
    return Offers(path, offers, exposure)


def _parse(content: bytes, name: str) -> Mapping[str, Any]:
    import yaml

    where = ""
    try:
        # Every scalar stays the text that it is: a handle made of digits is no number. No tag builds an object.
        document = yaml.load(content.decode("utf-8-sig"), Loader=yaml.BaseLoader)  # noqa: S506 - builds text only
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)  # its text quotes a line, which may hold a secret
        document, where = None, f" (line {mark.line + 1})" if mark is not None else ""
    if not isinstance(document, dict):
        raise CredentialsError(f"{name} holds no YAML mapping{where}", hint=_HINT)
    return document


def _offers(path: Path, document: Mapping[str, Any]) -> Iterator[Offer]:
    default = _table(document, "configuration").get("default_profile")
    for handle, apps in _table(document, "profiles").items():
        for key, values in apps.items() if isinstance(apps, dict) else ():
            yield _offer(path, values, _TWURL, handle=handle, chosen=default == [handle, key])
    for app, tokens in _table(document, "apps").items():
        token = _table(tokens, "oauth1_token")
        if token:
            chosen = document.get("default_app") == app
            yield _offer(path, _table(token, "oauth1"), _XURL, app=app, chosen=chosen)
    token = _table(document, "oauth1_tokens")  # xurl before it knew several apps
    if token:
        yield _offer(path, _table(token, "oauth1"), _XURL, app="default", chosen=True)


def _offer(
    path: Path, values: Any, keys: tuple[str, ...], *, handle: str | None = None, app: str | None = None, chosen: bool
) -> Offer:
    # An account that can't be used is offered with its problem: beside good ones it may be what nobody needs.
    try:
        if handle is not None:
            account_name(handle)
        credentials, problem = _credentials(path, values, keys, handle), None
    except CredentialsError as error:
        credentials, problem = None, error.message
    return Offer(path, handle, app, credentials, problem, chosen)


def _credentials(path: Path, values: Any, keys: tuple[str, ...], handle: str | None) -> Credentials:
    origin = visible(str(path))
    table = values if isinstance(values, dict) else {}
    texts = {key: text for key in keys if isinstance(text := table.get(key), str) and text}
    missing = [key for key in keys if key not in texts]
    if missing:
        raise CredentialsError(f"{origin} lacks {', '.join(missing)}")
    key, secret, token, token_secret = (
        secret_value(text, name, origin) for text, name in zip(texts.values(), KEYS, strict=True)
    )
    return Credentials(key, secret, token, token_secret, origin, handle)


def _table(holder: Any, key: str) -> Mapping[Any, Any]:
    value = holder.get(key) if isinstance(holder, dict) else None
    return value if isinstance(value, dict) else {}
