"""The pictures that a plan's page shows: the roster's own where they will do, else what X serves now."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from profilectl.errors import AvatarRefused, RemoteError
from profilectl.model import PreparedPicture, Profile
from profilectl.plan.changes import Action, Reason
from profilectl.render.html import LARGEST_PICTURES, ShownAppearance, ShownChange, compare

if TYPE_CHECKING:
    from profilectl.cli.context import Context
    from profilectl.plan.builder import Plan
    from profilectl.plan.changes import Change
    from profilectl.sync.session import SyncSession

_SIDE: Final = 160  # pixels: twice what the page shows, for sharp screens
_LONGEST: Final = 60.0  # seconds for all pictures together: a plan without some of them is still worth having


class _Source(Struct, frozen=True):
    """Where a picture is: a file by its digest, or at X by its address."""

    brand: str
    digest: str | None
    url: str = ""


class _Appearance(Struct, frozen=True):
    """A name to show, and where its picture would be; None where nobody knows."""

    name: str
    source: _Source | None


def compare_changes(context: Context, session: SyncSession, plan: Plan) -> list[ShownChange]:
    """Return every change with what customers see before and after it.

    A picture that can't be had, or that the page has no room for, leaves initials and a note, never an error.
    """
    appearances = _Appearances(session)
    pairs = [(appearances.before(change), appearances.after(change)) for change in plan.changes]
    # As a set, because a picture that several changes show is fetched once.
    sources = {shown.source for pair in pairs for shown in pair if shown is not None and shown.source}
    pictures = _fetch(context, session, sources)
    handles, options = {brand.key: brand.handle for brand in session.brands}, context.again()
    album = _Album(pictures)
    return [
        compare(change, handles[change.brand], album.draw(before), album.draw(after), options)
        for change, (before, after) in zip(plan.changes, pairs, strict=True)
    ]


class _Appearances:
    """What customers see before and after each change."""

    def __init__(self, session: SyncSession) -> None:
        self.local = {picture.digest for picture in session.pictures.values()}
        self.profiles = {
            (brand, profile.id): profile
            for brand, target in session.targets.items()
            for profile in target.observation.profiles
        }

    def before(self, change: Change) -> _Appearance | None:
        """Return what customers see now, or what stands in the way of a blocked agent."""
        profile = self.profiles.get((change.brand, change.profile_id or ""))
        if change.action in {Action.REPLACE, Action.DELETE, Action.RENAME} and change.before is not None:
            # Where somebody swapped the picture at X, the file that we once uploaded isn't what customers see.
            digest = None if Reason.SWAPPED in change.why else change.before.avatar
            return _Appearance(change.before.name, self._source(change.brand, digest, profile))
        if change.action in {Action.DESTROY, Action.BLOCKED} and profile is not None:
            return _Appearance(profile.name, self._source(change.brand, None, profile))
        return None

    def after(self, change: Change) -> _Appearance | None:
        """Return what customers will see, None when it is nobody."""
        if change.after is None:
            return None
        adopted = change.action is Action.ADOPT
        profile = self.profiles.get((change.brand, change.profile_id or "")) if adopted else None
        return _Appearance(change.after.name, self._source(change.brand, change.after.avatar, profile))

    def _source(self, brand: str, digest: str | None, profile: Profile | None) -> _Source | None:
        if digest in self.local:  # read from the disk, sharper than what X has re-encoded, and without a call
            return _Source(brand, digest)
        return _Source(brand, None, profile.avatar_url) if profile is not None else None


def _fetch(context: Context, session: SyncSession, sources: set[_Source]) -> dict[_Source, PreparedPicture]:
    """Read and download in parallel; what fails, or isn't there in time, is left out."""
    with ThreadPoolExecutor(session.jobs, thread_name_prefix="picture") as pool:
        waiting = {pool.submit(_load, context, session, source): source for source in sources}
        done, late = wait(waiting, min(_LONGEST, context.deadline.remaining()))
        if late:
            # Interrupted, because a worker that waits for X would hold up the end of the program.
            pool.shutdown(wait=False, cancel_futures=True)
            for client in session.clients.values():
                client.interrupt()
    return {waiting[future]: picture for future in done if (picture := future.result()) is not None}


def _load(context: Context, session: SyncSession, source: _Source) -> PreparedPicture | None:
    from profilectl.pictures.avatars import normalise, prepare

    try:
        if source.digest is None:
            return normalise(session.clients[source.brand].download(source.url), source.url, _SIDE)
        picture = next(picture for picture in session.pictures.values() if picture.digest == source.digest)
        return prepare(context.roster_path.parent, picture, _SIDE)
    except (AvatarRefused, RemoteError):
        return None


class _Album:
    """Pictures for a page, as many as it has room for."""

    def __init__(self, pictures: Mapping[_Source, PreparedPicture]) -> None:
        self.pictures = pictures
        self.room = LARGEST_PICTURES

    def draw(self, shown: _Appearance | None) -> ShownAppearance | None:
        """Return what is shown, with its picture if that can be had; None for nobody."""
        if shown is None:
            return None
        picture = self.pictures.get(shown.source) if shown.source is not None else None
        if picture is None:
            return ShownAppearance(
                shown.name, note="Its picture can't be shown: neither the roster nor X has it at hand"
            )
        self.room -= len(picture.content)
        if self.room < 0:
            return ShownAppearance(shown.name, note="Its picture isn't shown: the page has too many")
        return ShownAppearance(shown.name, picture.content, picture.media_type)
