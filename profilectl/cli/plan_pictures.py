"""The pictures that a plan's page shows: the roster's own where they will do, else what X serves now."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from profilectl.errors import AvatarRefused, RemoteError
from profilectl.plan.changes import Action
from profilectl.render.html import Comparison, Sight, compare

if TYPE_CHECKING:
    from collections.abc import Mapping

    from profilectl.cli.context import Context
    from profilectl.model import PreparedPicture, Profile
    from profilectl.plan.builder import Plan
    from profilectl.plan.changes import Change
    from profilectl.sync.session import SyncSession

_SIDE: Final = 160  # pixels: twice what the page shows, for sharp screens
_LONGEST: Final = 60.0  # seconds for all pictures together: the plan is worth more than its faces


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a picture is: a file by its digest, or at X by its address."""

    brand: str
    digest: str | None
    url: str = ""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A face to show, and where its picture would be; None where nobody knows."""

    name: str
    source: _Source | None


def face_the_changes(context: Context, session: SyncSession, plan: Plan) -> list[Comparison]:
    """Return every change with both faces. A picture that can't be had leaves initials and a note, never an error."""
    finder = _Finder(session)
    wanted = [(change, finder.before(change), finder.after(change)) for change in plan.changes]
    sources = {face.source for _, *faces in wanted for face in faces if face is not None and face.source is not None}
    pictures = _fetch(context, session, sources)
    handles = {brand.key: brand.handle for brand in session.brands}
    return [
        compare(change, handles[change.brand], _sight(before, pictures), _sight(after, pictures), context.again())
        for change, before, after in wanted
    ]


class _Finder:
    """Knows which face each change takes away, and which it brings."""

    def __init__(self, session: SyncSession) -> None:
        self.local = {picture.digest for picture in session.pictures.values()}
        self.profiles = {
            (brand, profile.id): profile
            for brand, target in session.targets.items()
            for profile in target.observation.profiles
        }

    def before(self, change: Change) -> _Wanted | None:
        """Return the face that customers see now, or that stands in the way of a blocked agent."""
        profile = self.profiles.get((change.brand, change.profile_id or ""))
        if change.action in {Action.REPLACE, Action.DELETE} and change.before is not None:
            digest = None if "swapped" in change.why else change.before.avatar
            return _Wanted(change.before.name, self._source(change.brand, digest, profile))
        if change.action in {Action.DESTROY, Action.BLOCKED} and profile is not None:
            return _Wanted(profile.name, self._source(change.brand, None, profile))
        return None

    def after(self, change: Change) -> _Wanted | None:
        """Return the face that customers will see, None when none is brought."""
        if change.after is None:
            return None
        adopted = change.action is Action.ADOPT
        profile = self.profiles.get((change.brand, change.profile_id or "")) if adopted else None
        return _Wanted(change.after.name, self._source(change.brand, change.after.avatar, profile))

    def _source(self, brand: str, digest: str | None, profile: Profile | None) -> _Source | None:
        if digest in self.local:
            return _Source(brand, digest)
        return _Source(brand, None, profile.avatar_url) if profile is not None else None


def _fetch(context: Context, session: SyncSession, sources: set[_Source]) -> dict[_Source, PreparedPicture]:
    """Read and download in parallel; what fails, or isn't there in time, is left out."""
    with ThreadPoolExecutor(session.jobs, thread_name_prefix="face") as pool:
        waiting = {pool.submit(_load, context, session, source): source for source in sources}
        done, late = wait(waiting, min(_LONGEST, context.deadline.remaining()))
        if late:
            pool.shutdown(wait=False, cancel_futures=True)
            for client in session.clients.values():
                client.interrupt()
    return {waiting[future]: picture for future in done if (picture := future.result()) is not None}


def _load(context: Context, session: SyncSession, source: _Source) -> PreparedPicture | None:
    from profilectl.pictures.avatars import normalise, prepare

    try:
        if source.digest is None:
            return normalise(session.clients[source.brand].download(source.url), source.url, _SIDE)
        picture = next(one for one in session.pictures.values() if one.digest == source.digest)
        return prepare(context.roster_path.parent, picture, _SIDE)
    except (AvatarRefused, RemoteError):
        return None


def _sight(face: _Wanted | None, pictures: Mapping[_Source, PreparedPicture]) -> Sight | None:
    if face is None:
        return None
    picture = pictures.get(face.source) if face.source is not None else None
    if picture is not None:
        return Sight(face.name, picture.content, picture.media_type)
    return Sight(face.name, note="Its picture can't be shown: neither the roster nor X has it at hand")
