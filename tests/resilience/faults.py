"""How things go wrong: each fault is a function (stage, request or ledger, proceed) in place of what it spoils."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import httpx

from profilectl.ledger import schema
from profilectl.sandbox.model.faults import Fault, Kind
from tests.resilience.desired import CHANGED, picture, roster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READ_TIMEOUT = 20.0  # seconds, the client's own
_PAGE = b"<!DOCTYPE html><title>Error</title><h1>Something went wrong</h1>"


def kill_before(stage, _subject, _proceed):
    stage.die()


def kill_after(stage, subject, proceed):
    result = proceed()
    is_block = hasattr(result, "__enter__") and not isinstance(result, httpx.Response)
    with result if is_block else contextlib.nullcontext():
        getattr(subject, "once_durable", lambda strike: strike())(stage.die)
    return result


# The connection


def dns(_stage, request, _proceed):
    raise httpx.ConnectError("[Errno -2] Name or service not known", request=request)


def refused(_stage, request, _proceed):
    raise httpx.ConnectError("[Errno 111] Connection refused", request=request)


def reset_before(_stage, request, _proceed):
    raise httpx.WriteError("[Errno 104] Connection reset by peer", request=request)


def reset_after(_stage, request, proceed):
    proceed()
    raise httpx.ReadError("[Errno 104] Connection reset by peer", request=request)


def timeout_before(stage, request, _proceed):
    stage.hours.pass_by(READ_TIMEOUT)
    raise httpx.ReadTimeout("The read operation timed out", request=request)


def timeout_after(stage, request, proceed):
    proceed()
    stage.hours.pass_by(READ_TIMEOUT)
    raise httpx.ReadTimeout("The read operation timed out", request=request)


# The answer


def refuse(status: int, code: int) -> Callable[..., httpx.Response]:
    """Answer with an error of X; nothing is applied."""
    return lambda stage, _request, _proceed: _error(stage, status, code)


def over_capacity_after(stage, _request, proceed):
    proceed()
    return _error(stage, 503, 130)


def limit(seconds: float | None) -> Callable[..., httpx.Response]:
    """Answer 429, with the reset in so many seconds, or without a word about it."""

    def strike(stage, _request, _proceed):
        reset = {} if seconds is None else {"x-rate-limit-reset": str(int(stage.hours.now + seconds))}
        return _error(stage, 429, 88, **reset)

    return strike


def no_credits(stage, _request, _proceed):
    """Answer 402, as X's v2 does when nothing is left to pay with; nothing is applied."""
    document = {"title": "CreditsDepleted", "type": "https://api.x.com/2/problems/credits", "detail": "none are left"}
    return httpx.Response(402, headers=_date(stage), json=document)


def redirect(stage, _request, _proceed):
    return httpx.Response(302, headers={"location": "https://elsewhere.example/", **_date(stage)})


def html(stage, _request, proceed):
    proceed()
    return httpx.Response(200, headers={"content-type": "text/html", **_date(stage)}, content=_PAGE)


def without_id(_stage, _request, proceed):
    return _edited(proceed(), lambda document: _strip(document, ("id", "id_str", "media_id", "media_id_string")))


def cut(_stage, request, proceed):
    def half() -> Iterator[bytes]:
        yield answer.content[: len(answer.content) // 2]
        message = "peer closed connection without sending complete message body"
        raise httpx.RemoteProtocolError(message, request=request)

    answer = proceed()
    return httpx.Response(answer.status_code, headers=answer.headers, content=half())


def byte_a_second(stage, _request, proceed):
    def dribble() -> Iterator[bytes]:
        for byte in answer.content:
            stage.hours.pass_by(1)
            yield bytes([byte])

    answer = proceed()
    return httpx.Response(answer.status_code, headers=answer.headers, content=dribble())


def late(stage, _request, proceed):
    answer = proceed()
    stage.hours.pass_by(READ_TIMEOUT / 2)
    return answer


# The list


def lag(stage, _request, proceed):
    """Let X make the profile and not list it for half a minute."""
    stage.world.faults.add(Fault(kind=Kind.LAG, call="create", seconds=30))
    return proceed()


def lag_unanswered(stage, request, proceed):
    return reset_after(stage, request, lambda: lag(stage, request, proceed))


def older_namesake(stage, request, _proceed):
    """Lose the request, and let the list know from now on what a stranger of the same name made before it."""
    name = json.loads(request.read())["custom_profile"]["name"]
    media = stage.world.media.add(stage.brand.user_id, picture((7, 7, 7)))
    made = stage.world.profiles.create(stage.brand.user_id, name, media.id)
    stage.world.store.change("UPDATE profiles SET created_ms = created_ms - 5000 WHERE id = ?", int(made.id))
    stage.record.strangers.add(made.id)
    raise httpx.ReadError("[Errno 104] Connection reset by peer", request=request)


def empty_page(stage, _request, proceed):
    stage.world.faults.add(Fault(kind=Kind.EMPTY_PAGE, call="list"))
    return proceed()


def repeated_cursor(_stage, request, proceed):
    return _edited(proceed(), lambda document: document.update(next_cursor=request.url.params["cursor"]))


def duplicate_ids(stage, _request, proceed):
    """Repeat the last entry of the page before, or of this one where it is the first."""

    def repeat(document: Any) -> None:
        entries = document["custom_profiles"]
        entries.insert(0, (stage.record.last_entries or entries)[-1])

    return _edited(proceed(), repeat)


# The ledger, and this machine


def disk_full(_stage, ledger, proceed):
    """Let the transaction fail at its last statement, as SQLite does when it can't write its log."""
    execute = ledger.real._engine.execute

    def full(statement: str, /, **values: Any) -> Any:
        if statement in {schema.ADD_RECORD, schema.ADD_DISPATCH}:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return execute(statement, **values)

    ledger.real._engine.execute = full
    try:
        return proceed()
    finally:
        ledger.real._engine.execute = execute


def read_only(_stage, ledger, proceed):
    connection = ledger.real._engine._connection
    connection.execute("PRAGMA query_only=ON")
    try:
        return proceed()
    finally:
        connection.execute("PRAGMA query_only=OFF")


def no_holder_file(stage, _ledger, proceed):
    """Keep the lock's side file from being written, which a full and a read-only disk do alike."""
    obstacle = stage.folder / ".ledger.db.lock.holder.new"
    obstacle.mkdir()

    @contextlib.contextmanager
    def locked():
        try:
            with proceed():
                yield
        finally:
            obstacle.rmdir()

    return locked()


def lock_held(stage, _ledger, proceed):
    from filelock import FileLock

    held = FileLock(stage.folder / "ledger.db.lock")

    @contextlib.contextmanager
    def locked(wait_for_it):
        with held, wait_for_it:
            yield

    with held:
        result = proceed()  # what needs no lock is done
    return locked(result) if hasattr(result, "__enter__") else result


def clock_jumps(hours: float) -> Callable[..., Any]:
    """Put this machine's clock wrong from here on."""

    def strike(stage, request, proceed):
        stage.hours.skew = hours * 3600
        stage.sign_again(request)
        return proceed()

    return strike


# The desired state


def roster_changes(stage, _subject, proceed):
    stage.write_roster(roster(CHANGED))
    return proceed()


def picture_changes(stage, _subject, proceed):
    (stage.folder / "bruno.png").write_bytes(picture((1, 2, 3)))
    return proceed()


def profile_goes(stage, _subject, proceed):
    """Let somebody else destroy the profile that a message is about to carry."""
    bound = next(one for one in stage.state_of().bindings if one.agent == "anna")
    stage.world.profiles.destroy(stage.brand.user_id, bound.profile_id)
    return proceed()


# The echo of a message


def echo(kind: Kind) -> Callable[..., Any]:
    """Let X send the message under another face than asked for."""

    def strike(stage, _request, proceed):
        stage.world.faults.add(Fault(kind=kind, call="send"))
        return proceed()

    return strike


def other_sender(_stage, _request, proceed):
    return _edited(proceed(), lambda document: document["event"]["message_create"].update(sender_id="666"))


def _error(stage: Any, status: int, code: int, **headers: str) -> httpx.Response:
    document = {"errors": [{"code": code, "message": "as ordered"}]}
    return httpx.Response(status, headers={**_date(stage), **headers}, json=document)


def _date(stage: Any) -> dict[str, str]:
    return {"date": formatdate(stage.hours.now, usegmt=True)}


def _edited(answer: httpx.Response, edit: Callable[[Any], None]) -> httpx.Response:
    document = json.loads(answer.content)
    edit(document)
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return httpx.Response(answer.status_code, headers=headers, json=document)


def _strip(document: Any, keys: tuple[str, ...]) -> None:
    if isinstance(document, dict):
        for key in keys:
            document.pop(key, None)
    for part in document.values() if isinstance(document, dict) else document if isinstance(document, list) else ():
        _strip(part, keys)
