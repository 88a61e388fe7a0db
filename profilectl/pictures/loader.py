"""A roster's picture files, read and prepared on all cores; why some can't be used is a value."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from msgspec.structs import replace

from profilectl.errors import AvatarRefused, BadgeRefused, RosterRefused
from profilectl.model import DECORATED, Agent, Kind, Picture, Policy, PreparedPicture, Problem, undecorated
from profilectl.pictures.decoration import compose, files_of
from profilectl.pictures.stat_cache import PictureStatCache
from profilectl.system.threads import begin
from profilectl.text.escape import visible
from profilectl.toml.paths import dotted
from profilectl.toml.positions import locate
from profilectl.toml.problems import MOST

FEWEST_WATCHED: Final = 20
"""Pictures: less are prepared before anybody has read what is shown of them."""

Watch = Callable[[Sequence[str]], AbstractContextManager[Callable[[str], None]]]
"""Shows how far the work on pictures has come, by their paths; gives what is called with each that has come to its end.
"""


@contextmanager
def unwatched(_paths: Sequence[str]) -> Iterator[Callable[[str], None]]:
    """Show nothing: a `Watch`."""
    yield lambda _: None


def inspect_all(
    folder: Path, agents: Iterable[Agent], cache: PictureStatCache | None = None
) -> tuple[dict[str, Picture], dict[str, AvatarRefused]]:
    """Read and hash the pictures that agents name; return them, and the refusals, by their paths as written."""
    avatars = dict.fromkeys(agent.avatar for agent in agents)
    cache = cache or PictureStatCache(folder)
    if not any(name.startswith(DECORATED) for name in avatars):
        return _inspect_files(cache, avatars)
    return compose(avatars, *_inspect_files(cache, dict.fromkeys(path for name in avatars for path in files_of(name))))


def _inspect_files(
    cache: PictureStatCache, paths: Iterable[str]
) -> tuple[dict[str, Picture], dict[str, AvatarRefused]]:
    pictures = {path: cache.recall(path) for path in paths}
    refusals: dict[str, AvatarRefused] = {}
    unread = [path for path, picture in pictures.items() if picture is None]
    queue = iter(unread)  # shared: each thread takes the next path when it is done with one

    def work() -> None:
        for path in queue:
            try:
                pictures[path] = cache.read(path)
            except AvatarRefused as error:
                refusals[path] = error

    # Not a pool, whose threads would keep a process alive that was interrupted at a slow file system.
    helpers = [begin(work) for _ in range(min(os.cpu_count() or 1, len(unread)) - 1)]
    work()
    for helper in helpers:
        helper.result()
    usable = {path: picture for path, picture in pictures.items() if picture is not None}
    # In the roster's order, whichever thread was first.
    return usable, {path: refusals[path] for path in unread if path in refusals}


def prepare_all(
    prepare: Callable[[Picture], PreparedPicture | None],
    pictures: Iterable[Picture],
    *,
    without_content: bool = False,
    watch: Watch = unwatched,
) -> tuple[dict[str, PreparedPicture], dict[str, AvatarRefused]]:
    """Prepare pictures; return what comes of them by the digest of their file, and the refusals by their paths.

    `without_content` leaves their bytes out: those of 5,000 pictures are 100 MB.
    """
    from concurrent.futures import ThreadPoolExecutor

    prepared: dict[str, PreparedPicture] = {}
    refusals: dict[str, AvatarRefused] = {}
    with ThreadPoolExecutor(thread_name_prefix="picture") as pool:
        task = partial(_without_content, prepare) if without_content else prepare
        futures = {picture.path: pool.submit(task, picture) for picture in pictures}
        names = [undecorated(path)[1] for path in futures]
        with watch(names) if len(names) >= FEWEST_WATCHED else unwatched(names) as advance:
            for path, future in futures.items():
                try:
                    result = future.result()
                except AvatarRefused as error:
                    refusals[path] = error
                else:
                    if result is not None:
                        prepared[result.source_digest] = result
                advance(undecorated(path)[1])
    return prepared, refusals


def _without_content(prepare: Callable[[Picture], PreparedPicture | None], picture: Picture) -> PreparedPicture | None:
    prepared = prepare(picture)
    return None if prepared is None else replace(prepared, content=b"")


def examine(
    folder: Path,
    agents: Iterable[Agent],
    look: Callable[[Picture], PreparedPicture | None],
    proven: Container[str] = (),
    cache: PictureStatCache | None = None,
    watch: Watch = unwatched,
) -> tuple[dict[str, Picture], dict[str, AvatarRefused], dict[str, PreparedPicture]]:
    """Return what `inspect_all` does, refuse what can't be decoded, and return what came of it, by the files' digests.

    `look` is `PreparedCache.look` or its like.
    `proven` holds digests of usable files; of these only those with an alpha channel are decoded.
    """
    pictures, unreadable = inspect_all(folder, agents, cache)
    by_digest = {picture.digest: picture for picture in pictures.values()}
    unsure = [picture for picture in by_digest.values() if picture.digest not in proven or picture.shape.has_alpha]
    prepared, unusable = prepare_all(look, unsure, without_content=True, watch=watch) if unsure else ({}, {})
    refused = {picture.digest for picture in unsure if picture.path in unusable}
    copies = [picture for path, picture in pictures.items() if picture.digest in refused and path not in unusable]
    unusable |= prepare_all(look, copies)[1] if copies else {}  # each is told by its own path
    return pictures, unreadable | unusable, prepared


class Objection(NamedTuple):
    """What is wrong with an agent's picture."""

    agent: Agent
    message: str
    hint: str | None
    severity: str = "error"  # "error" | "warning"
    rule: str = "picture"
    is_of_badge: bool = False  # what is wrong is the badge of the agent's brand

    @property
    def place(self) -> tuple[str, ...]:
        """Where in the roster it is told."""
        if self.is_of_badge:
            return "brands", self.agent.brand, "avatar", "badge"
        return "agents", self.agent.key, "brands", self.agent.brand, "avatar"

    @property
    def name(self) -> str:
        """What of the roster is wrong, as problems name it."""
        return dotted(self.place) if self.is_of_badge else f"agents.{self.agent.key}.avatar"


def judge(
    agents: Iterable[Agent], pictures: Mapping[str, Picture], refusals: Mapping[str, AvatarRefused], policy: Policy
) -> tuple[Objection, ...]:
    """Return why agents' pictures are refused, or may deceive; both come by their paths as `inspect_all` has them."""
    agents = tuple(agents)
    bad_badges = {
        agent.brand: Objection(agent, refused.message, refused.hint, is_of_badge=True)
        for agent in agents
        if isinstance(refused := refusals.get(agent.avatar), BadgeRefused)
    }
    objections = [*bad_badges.values()]
    # Once for an agent of several brands that takes the same picture in all of them.
    for agent in {(agent.key, undecorated(agent.avatar)[1]): agent for agent in agents}.values():
        refused, picture = refusals.get(agent.avatar), pictures.get(agent.avatar)
        if isinstance(refused, BadgeRefused):
            continue
        if refused is not None:
            objections.append(Objection(agent, refused.message, refused.hint))
        elif picture is not None and picture.mark and agent.kind is Kind.HUMAN:
            objections.append(_judge_face(agent, picture, policy))
    return tuple(objections)


def _judge_face(agent: Agent, picture: Picture, policy: Policy) -> Objection:
    from profilectl.pictures.provenance import MACHINE_MADE

    shown = f"picture {visible(undecorated(picture.path)[1])}"
    if picture.mark not in MACHINE_MADE:
        message = f"{shown} has a C2PA manifest that doesn't say whether a machine made it"
        return Objection(agent, message, None, "warning", "picture-origin")
    marked = f"{shown} is marked as machine-made ({picture.mark})"
    if policy.ai_faces == "record":
        return Objection(
            agent, f"{marked}, which the record will say of {agent.key}'s profile", None, "warning", "machine-made"
        )
    way_out = 'a photograph of the person is right, or ai_faces = "record" in [policy], which is recorded'
    return Objection(agent, f"{marked}, and {agent.key} is a human: {way_out}", None, "error", "machine-made")


def problems(objections: Iterable[Objection], text: str, file: str) -> tuple[Problem, ...]:
    """Return a problem for each objection, at the agent's line of the roster's `text`, called `file`.

    Of more than `profilectl.toml.problems.MOST` the first, and a line that says so.
    """
    ordered = sorted(objections, key=lambda objection: objection.severity)  # errors come first
    listed = tuple(
        Problem(
            file,
            *locate(text, objection.place),
            objection.name,
            objection.message,
            objection.severity,
            objection.rule,
            objection.hint or "",
        )
        for objection in ordered[:MOST]
    )
    if len(ordered) <= MOST:
        return listed
    message = f"{len(ordered)} agents whose picture can't be used; the first {MOST} are told"
    return (Problem(file, 0, 0, "", message, "warning", "size"), *listed)


def refusal(objections: Iterable[Objection], text: str, file: str) -> RosterRefused | None:
    """Return the refusal of a roster whose pictures can't all be used, None where none is refused; see `problems`."""
    errors = [objection for objection in objections if objection.severity == "error"]
    if not errors:
        return None
    number = len({objection.place[1] if objection.is_of_badge else objection.agent.avatar for objection in errors})
    count = "1 picture" if number == 1 else f"{number} pictures"
    return RosterRefused(
        f"{visible(file)}: {count} can't be used", problems=problems(errors, text, file), hint=errors[0].hint
    )
