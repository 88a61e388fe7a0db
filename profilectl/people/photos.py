"""Pictures of a list's people: from a folder, from https addresses, or from beside the list; made ready to be stored.

What is stored beside the roster is what would be uploaded: the middle square without metadata, so that no place where
somebody was photographed ends up in a repository. A mark of a machine-made picture stays.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from msgspec import Struct

from profilectl.errors import AvatarRefused, InputRefused, ProfilectlError
from profilectl.people.entries import Entry
from profilectl.people.tables import Place, Problems
from profilectl.pictures import avatars
from profilectl.pictures.file_names import AmbiguousName, as_spelled
from profilectl.roster import schema
from profilectl.system.files import read_named
from profilectl.text.escape import excerpt, visible
from profilectl.toml.rules import FieldError

FOLDER: Final = "avatars"
JOBS: Final = 8  # pictures that are fetched at once
_MOST_FILES: Final = 50_000  # of a folder that are looked at
_ADDRESS: Final = re.compile(r"https?://", re.IGNORECASE)
_MOST_NAMESAKES: Final = 99  # pictures of one name that are told apart by a number
_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif"})
_OTHER_FORMATS: Final = frozenset({".heic", ".heif", ".avif", ".tif", ".tiff", ".bmp", ".svg", ".psd", ".dng"})
_NAMED: Final = 3  # left-over pictures that a line names


class Photo(Struct, frozen=True):
    """A picture of somebody: beside the roster already, or to be stored there."""

    path: str  # relative to the roster's folder
    content: bytes | None = None  # None: it lies there as it is


class PhotoFolder:
    """The pictures of one folder, found by a person's key, e-mail address or name, whatever their form or case.

    Raises:
        InputRefused: it can't be read, or holds far too much.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._by_name: dict[str, list[str]] = {}
        others: list[str] = []
        try:
            with os.scandir(folder) as files:
                for number, file in enumerate(files):
                    if number == _MOST_FILES:
                        raise InputRefused(f"{visible(str(folder))} holds more than {_MOST_FILES} files")
                    path = Path(file.name)
                    if path.suffix.casefold() in _SUFFIXES:
                        self._by_name.setdefault(comparable(path.stem), []).append(file.name)
                        self._by_name.setdefault(comparable(file.name), []).append(file.name)
                    elif path.suffix.casefold() in _OTHER_FORMATS:
                        others.append(file.name)
        except OSError as error:
            raise InputRefused(f"can't read the folder {visible(str(folder))}: {error.strerror}") from None
        self.unusable = tuple(sorted(name for name in others if comparable(Path(name).stem) not in self._by_name))
        """Pictures in formats that X doesn't take, which aren't there in another one as well."""

    def find(self, names: Iterable[str]) -> list[Path]:
        """Return the files of the first of these names that has any; more than one is for a person to decide."""
        for name in names:
            files = self._by_name.get(comparable(name)) if name else None
            if files:
                return [self._folder / file for file in sorted(files)]
        return []

    def unmatched(self, entries: Iterable[Entry]) -> tuple[str, ...]:
        """Return the names of the pictures that are called after nobody of a list, and that none of its cells names."""
        names = {comparable(name) for entry in entries for name in (*names_of(entry), entry.picture) if name}
        matched = {file for name in names for file in self._by_name.get(name, ())}
        return tuple(sorted({file for files in self._by_name.values() for file in files} - matched))

    def notes(self, unmatched: Sequence[str], file: str) -> list[str]:
        """Return what a person should know of the pictures that nobody gets; `file` is what the list is called."""
        folder, notes = visible(str(self._folder)), []
        if unmatched:
            count = "1 picture" if len(unmatched) == 1 else f"{len(unmatched)} pictures"
            match = "matches" if len(unmatched) == 1 else "match"
            notes.append(f"{count} in {folder} {match} nobody in {visible(file)}: {_first_of(unmatched)}")
        if len(self.unusable) == 1:
            notes.append(f"{_first_of(self.unusable)} in {folder} is {_form(self.unusable[0])}: save it as JPEG")
        elif self.unusable:
            what = f"{len(self.unusable)} pictures in {folder} are in formats that X doesn't take, save them as JPEG"
            notes.append(f"{what}: {_first_of(self.unusable)}")
        return notes


def _form(name: str) -> str:
    return Path(name).suffix[1:].upper()


def _first_of(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(f'"{excerpt(name)}"' for name in names[:_NAMED]) + more


def comparable(name: str) -> str:
    """Return a file's or person's name without case, accents' forms, and what stands between words."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(word for word in re.split(r"[\W_]+", text) if word)


def names_of(entry: Entry) -> tuple[str, ...]:
    """Return what somebody's picture may be called, the surest first."""
    person = entry.person
    return (
        entry.key,
        person.email,
        person.email.partition("@")[0],
        f"{person.first} {person.last}".strip() if person.first and person.last else "",
        f"{person.last} {person.first}".strip() if person.first and person.last else "",
        person.name,
    )


class PhotoSource(Struct, frozen=True):
    """Where pictures come from."""

    roster_folder: Path
    list_folder: Path | None  # in which the list lies; None for a pipe
    photos: PhotoFolder | None
    download: Callable[[str], bytes]


def collect(entries: Sequence[Entry], header: str | None, source: PhotoSource, problems: Problems) -> dict[str, Photo]:
    """Return the pictures of those who have one, by key; what can't be had or used is noted in `problems`.

    `header` is the column that names them.
    """
    files = _by_name(entries, source.photos, header, problems) if source.photos is not None else {}

    def fetch(entry: Entry) -> Photo | ProfilectlError | None:
        try:
            return _photo(entry, source, files.get(entry.key))
        except ProfilectlError as error:
            return error

    with ThreadPoolExecutor(JOBS, thread_name_prefix="picture") as pool:
        results = list(pool.map(fetch, entries))
    photos: dict[str, Photo] = {}
    for entry, result in zip(entries, results, strict=True):
        if isinstance(result, Photo):
            photos[entry.key] = result
        elif result is not None:
            problems.note(entry.row.place(header), f"{entry.key}.avatar", visible(result.message))
    return photos


def _by_name(entries: Sequence[Entry], folder: PhotoFolder, header: str | None, problems: Problems) -> dict[str, Path]:
    """Return the file of everybody whose picture no cell names and one file is called after; doubts are noted."""
    files: dict[str, Path] = {}
    owners: dict[Path, str] = {}
    for entry in entries:
        matches = [] if entry.picture else folder.find(names_of(entry))
        if len(matches) > 1:
            listed = ", ".join(excerpt(file.name) for file in matches[:5])
            message = f"more than one picture may be meant: {listed}"
            problems.note(entry.row.place(header), f"{entry.key}.avatar", message)
        elif matches and (other := owners.setdefault(matches[0], entry.key)) != entry.key:
            # Two people of one name would get the same face: only a picture that a list names may be shared.
            message = f"the picture {excerpt(matches[0].name)} may be {other}'s as well: name it in a column"
            problems.note(entry.row.place(header), f"{entry.key}.avatar", message)
        elif matches:
            files[entry.key] = matches[0]
    return files


def _photo(entry: Entry, source: PhotoSource, file: Path | None) -> Photo | None:
    if _ADDRESS.match(entry.picture):
        return stored(entry.key, source.download(entry.picture), entry.picture)
    if entry.picture:
        return _named(entry, source)
    return None if file is None else stored(entry.key, _read(file), file.name)


def _named(entry: Entry, source: PhotoSource) -> Photo:
    """Return the picture that a list names by a path: beside the roster, in the folder of pictures, or by the list."""
    try:
        schema.avatar(entry.picture)  # nothing of a list that somebody sent leads to other files of this machine
    except FieldError as error:
        raise AvatarRefused(str(error)) from None
    files = source.photos.find((entry.picture,)) if source.photos is not None else []
    if len(files) == 1:
        return stored(entry.key, _read(files[0]), entry.picture)
    if (source.roster_folder / entry.picture).is_file():
        avatars.inspect(source.roster_folder, entry.picture)
        return Photo(entry.picture)
    if source.list_folder is not None and (source.list_folder / entry.picture).is_file():
        return stored(entry.key, _read(source.list_folder / entry.picture), entry.picture)
    if source.photos is not None and entry.picture in source.photos.unusable:
        raise AvatarRefused(f"picture {excerpt(entry.picture)} is {_form(entry.picture)}: save it as JPEG")
    raise AvatarRefused(f"picture {excerpt(entry.picture)} is neither beside the roster nor beside the list")


def _read(path: Path) -> bytes:
    return read_named(path, "the picture", avatars.LARGEST_FILE)


def stored(key: str, content: bytes, name: str, side: int = avatars.LARGEST_SIDE) -> Photo:
    """Return a picture as it is stored for an agent; AvatarRefused, which calls it `name`, when it can't be used.

    `side` is how many pixels it has at most.
    """
    from profilectl.pictures.provenance import MACHINE_MADE, find_mark, with_mark

    prepared, mark = avatars.normalise(content, name, side), find_mark(content)
    suffix = "png" if prepared.media_type == "image/png" else "jpg"
    path = f"{FOLDER}/{key}.{suffix}"
    if mark in MACHINE_MADE:
        return Photo(path, with_mark(prepared.content, mark))
    # A manifest that says nothing of its origin is worth a warning, which only the file itself can bring about.
    return Photo(path, content if mark else prepared.content)


def places_of(entries: Iterable[Entry], header: str | None) -> dict[str, Place]:
    """Return where a list names people's pictures, by key; where their rows begin when it has no such column."""
    return {entry.key: entry.row.place(header) for entry in entries}


def drawn(key: str, name: str) -> Photo:
    """Return initials for somebody without a picture."""
    from profilectl.pictures.placeholders import initials_portrait

    return Photo(f"{FOLDER}/{key}.png", initials_portrait(name))


def with_own_files(
    photos: Mapping[str, Photo], uses: Sequence[tuple[str, str]], roster_folder: Path
) -> tuple[dict[str, Photo], list[str]]:
    """Return the pictures, none of which lies in a file that somebody else uses, and why some have another name.

    Args:
        photos: by the keys of their agents.
        uses: who has which picture by now, by its path: keys of agents, and other places of the roster.
        roster_folder: beside which they are stored.
    """
    result = dict(photos)
    notes: list[str] = []
    owners: dict[object, list[str]] = {}
    for key, photo in photos.items():
        path = roster_folder / photo.path
        if photo.content is None or not os.path.lexists(path) or holds(path, photo.content):
            continue
        for user, used in () if owners else uses:
            owners.setdefault(_file(roster_folder, used), []).append(user)
        own = next((used for user, used in uses if user == key), "")
        others = [user for user in dict.fromkeys(owners.get(_file(roster_folder, photo.path), ())) if user != key]
        if holds(roster_folder / own, photo.content) or (
            own in _numbered(photo.path) and {*owners[_file(roster_folder, own)]} == {key}
        ):
            result[key] = Photo(own, photo.content)
        elif others:
            free = free_path(roster_folder, photo, {each.path for each in result.values()})
            result[key] = Photo(free, photo.content)
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            notes.append(f"{visible(photo.path)} is used by {visible(others[0])}{more}, so {key}'s picture is {free}")
    return result, notes


def free_path(roster_folder: Path, photo: Photo, taken: Collection[str] = ()) -> str:
    """Return a picture's path, with a number where another picture lies there or will: nothing is overwritten."""
    for path in (photo.path, *_numbered(photo.path)):
        if path not in taken and (
            not os.path.lexists(roster_folder / path) or holds(roster_folder / path, photo.content or b"")
        ):
            return path
    raise InputRefused(f"{visible(photo.path)} has {_MOST_NAMESAKES} others beside it already; nothing was written")


def _numbered(path: str) -> list[str]:
    stem, _, suffix = path.rpartition(".")
    return [f"{stem}-{number}.{suffix}" for number in range(2, _MOST_NAMESAKES + 1)]


def _file(roster_folder: Path, path: str) -> object:
    """Return what is the same for two paths of one file, whatever links or a file system's spelling lead there."""
    try:
        status = (roster_folder / as_spelled(str(roster_folder), path)).stat()
    except (OSError, ValueError, AmbiguousName):
        return os.path.normpath(path)
    return status.st_dev, status.st_ino


def unstored(
    photos: Mapping[str, Photo],
    roster_folder: Path,
    own: Mapping[str, str],
    places: Mapping[str, Place],
    problems: Problems,
) -> list[Photo]:
    """Return the pictures that have to be written: not those that lie there with the same bytes.

    Args:
        photos: by the keys of their agents.
        roster_folder: beside which they are stored.
        own: the picture that an agent has by now, by key: it may be replaced, and nothing else may.
        places: where the list speaks of an agent's picture, by key.
        problems: gets a note for every file that lies in the way.
    """
    missing: list[Photo] = []
    for key, photo in photos.items():
        if photo.content is None:
            continue
        path = roster_folder / photo.path
        if not os.path.lexists(path):
            missing.append(photo)
        elif holds(path, photo.content):
            continue
        elif own.get(key) == photo.path:
            missing.append(photo)
        else:
            what = f"{visible(photo.path)} exists already, and isn't {key}'s picture"
            way = "it may be a former one of that key; remove or rename the file"
            problems.note(places.get(key, (0, 0)), f"{key}.avatar", f"{what}: {way}")
    return missing


def holds(path: Path, content: bytes) -> bool:
    """Say whether a file has exactly these bytes."""
    try:
        return read_named(path, "the picture", avatars.LARGEST_FILE) == content
    except InputRefused:
        return False
