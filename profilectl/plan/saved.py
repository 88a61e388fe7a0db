"""A plan in a file: written by ``diff --out``, and held by ``sync --plan`` against what would be done now.

The file is the ``profilectl.plan/1`` document. Nothing of it is ever applied: a sync plans anew and compares, so that a
forged file can at worst be refused.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Protocol

from profilectl.errors import GuardRefused, InputRefused, StalePlan, UsageError
from profilectl.plan.changes import Action, Appearance, Change
from profilectl.plan.fingerprint import Basis, digest_of
from profilectl.plan.staleness import have_changed, movement
from profilectl.render import documents
from profilectl.sync.session import Selection
from profilectl.system import files
from profilectl.text.escape import excerpt, visible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from profilectl.model import Brand
    from profilectl.plan.builder import Plan
    from profilectl.render.documents import Document

LARGEST_PLAN: Final = 50_000_000  # bytes: a hundred thousand changes
_SCHEMA: Final = re.compile(r"profilectl\.plan/(\d{1,9})")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


class Expectation(Protocol):
    """What a person has reviewed, and what a sync therefore has to be about to do."""

    def check(self, plan: Plan) -> None:
        """Return when the plan is the reviewed one; StalePlan otherwise."""


@dataclass(frozen=True, slots=True)
class ExpectedDigest:
    """The digest that ``diff`` showed."""

    digest: str

    def check(self, plan: Plan) -> None:
        """Refuse a plan of another digest; what has moved can't be told."""
        if plan.digest != self.digest:
            raise StalePlan(
                f"nothing was changed: the plan isn't {self.digest} any more, but {plan.digest}",
                hint="run `profilectl diff` with the same options to see it",
            )


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What a file says.

    Attributes:
        name: the file's, visible.
        brands: keys of the brands that it is about.
        selection: what else was chosen.
        basis: what the plan was made from.
        changes: what was reviewed.
        digest: of the plan.
    """

    name: str
    brands: tuple[str, ...]
    selection: Selection
    basis: Basis
    changes: tuple[Change, ...]
    digest: str

    def check(self, plan: Plan) -> None:
        """Refuse a plan that isn't the saved one, and say what has moved since; or one that a guard refuses."""
        if plan.digest != self.digest:
            raise self._stale(movement(self.basis, self.changes, plan))
        if plan.refused is not None:
            allow = plan.refused.allow
            hint = f"`profilectl diff {allow} --out {self.name}` makes one that is allowed" if allow else None
            raise GuardRefused(plan.refused.message, hint=hint)

    def check_brands(self, brands: Sequence[Brand]) -> None:
        """Refuse a roster that has lost one of the brands, before anything is asked of X."""
        if not set(self.brands) <= {brand.key for brand in brands}:
            raise self._stale(have_changed(["the roster"]))

    def _stale(self, reason: str) -> StalePlan:
        return StalePlan(
            f"nothing was changed: {reason} since {self.name} was made",
            hint=f"run `profilectl diff --out {self.name}` again, with the same options, and look at it",
        )


def expected_digest(text: str) -> ExpectedDigest:
    """Read the value of ``--expect``; UsageError when it is no digest."""
    if not _DIGEST.fullmatch(text):
        raise UsageError(
            f"--expect takes a plan's digest, not {excerpt(text)}",
            hint="`profilectl diff` ends with it: sha256: and 64 hexadecimal digits",
        )
    return ExpectedDigest(text)


def describe(brands: Sequence[Brand], selection: Selection) -> Document:
    """Return what was chosen as the documents know it."""
    words = {field.name: getattr(selection, field.name) for field in fields(selection)}
    return {"brands": [brand.key for brand in brands]} | words | {"agents": sorted(selection.agents)}


def check_place(path: Path) -> None:
    """Make sure that a plan may be written to this path, before anything is asked of X.

    Raises:
        UsageError: it stands for stdout.
        InputRefused: something else than a saved plan is there: a link, a folder, another file.
    """
    shown = visible(str(path))
    if str(path) == "-":
        raise UsageError("--out takes the name of a file", hint="--json prints the same to stdout")
    if path.is_symlink():
        raise InputRefused(f"{shown} is a symbolic link, which a plan never follows", hint="name the file itself")
    if not path.exists():
        return
    try:
        is_plan = path.is_file() and _SCHEMA.fullmatch(_decode(path, shown).get("schema", "")) is not None
    except (InputRefused, TypeError):
        is_plan = False
    if not is_plan:
        raise InputRefused(f"{shown} exists, and isn't a saved plan", hint="choose another name, or remove it yourself")


def write(path: Path, document: Document) -> None:
    """Save a plan, whole or not at all; it takes the place of an older one.

    Raises:
        UsageError: the path stands for stdout.
        InputRefused: it can't be written, or something else is there.
    """
    check_place(path)
    try:
        files.replace(path, f"{documents.dump(document)}\n".encode())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file name"
        raise InputRefused(f"can't write {visible(str(path))}: {reason}") from None


def read(path: Path) -> SavedPlan:
    """Return the plan in a file.

    Raises:
        InputRefused: there is no such file, or it is too large.
        StalePlan: it isn't a saved plan, is one of a newer version, or was edited.
    """
    name = visible(str(path))
    document = _decode(path, name)
    version = _SCHEMA.fullmatch(_text(document.get("schema"), default=""))
    if version is None:
        raise _foreign(name, "it isn't a plan's document")
    if int(version[1]) > 1:
        raise StalePlan(
            f"{name} was made by a newer profilectl: its schema is {version[0]}",
            hint=f"update profilectl, or run `profilectl diff --out {name}` with this version",
        )
    try:
        saved = _parse(name, document)
        seal = _text(document.pop("checksum"))
        is_whole = seal == digest_of(document) and saved.digest == digest_of([document["basis"], document["changes"]])
    except (KeyError, TypeError, ValueError, RecursionError):
        raise _foreign(name, "parts of a plan's document are missing or of the wrong type") from None
    if not is_whole:
        raise StalePlan(
            f"{name} was edited after it was made: it doesn't match its own digest",
            hint=f"`profilectl diff --out {name}` makes it anew",
        )
    return saved


def _foreign(name: str, why: str) -> StalePlan:
    return StalePlan(f"{name} is no saved plan: {why}", hint="`profilectl diff --out plan.json` makes one")


def _decode(path: Path, name: str) -> dict[str, Any]:
    content = files.read_named(path, "the plan", LARGEST_PLAN, "`profilectl diff --out plan.json` makes one")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise _foreign(name, "it isn't JSON") from None
    if not isinstance(document, dict):
        raise _foreign(name, "it isn't a plan's document")
    return document


def _parse(name: str, document: dict[str, Any]) -> SavedPlan:
    """Turn a document into values; KeyError, TypeError or ValueError when it isn't of the right shape."""
    words = dict(_mapping(document["selection"]))
    brands = _texts(words.pop("brands"))
    if not brands:
        raise ValueError("no brand")
    return SavedPlan(
        name=name,
        brands=brands,
        selection=_selection(words),
        basis=Basis(**{key: _text(value) for key, value in _mapping(document["basis"]).items()}),
        changes=tuple(_change(_mapping(one)) for one in _list(document["changes"])),
        digest=_text(document["digest"]),
    )


def _selection(words: dict[str, Any]) -> Selection:
    agents, allowed = frozenset(_texts(words.pop("agents"))), words.pop("allow_deletes")
    if allowed is not None and (type(allowed) is not int or allowed < 0):
        raise TypeError("allow_deletes")
    if not all(isinstance(value, bool) for value in words.values()):
        raise TypeError("a switch")
    return Selection(agents, allowed, **words)


def _change(entry: dict[str, Any]) -> Change:
    looks = {side: None if entry[side] is None else _look(_mapping(entry[side])) for side in ("before", "after")}
    profile_id = entry["profile_id"]
    return Change(
        brand=_text(entry["brand"]),
        agent=_text(entry["agent"]),
        action=Action(entry["action"]),
        why=_texts(entry["why"]),
        profile_id=None if profile_id is None else _text(profile_id),
        **looks,
    )


def _look(entry: dict[str, Any]) -> Appearance:
    return Appearance(_text(entry["name"]), _text(entry["avatar"]))


def _text(value: object, default: str | None = None) -> str:
    if isinstance(value, str):
        return value
    if default is None:
        raise TypeError("no text")
    return default


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("no list")
    return value


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(one) for one in _list(value))


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("no object")
    return value
