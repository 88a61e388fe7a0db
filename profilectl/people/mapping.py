"""Which column of a list becomes which field of an agent: as ``--map`` says, else guessed from the header.

The guesses know what Okta, Entra, Google Workspace, Zendesk and BambooHR call their columns, and what spreadsheets in
German, French, Spanish, Italian, Portuguese, Dutch, Polish, Swedish and Danish call theirs. E-mail addresses are used
to make keys and to find photographs, and are never written; a number of an employee isn't even read.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from profilectl.errors import UsageError
from profilectl.roster.schema import AGENT
from profilectl.text.escape import excerpt
from profilectl.text.suggest import did_you_mean
from profilectl.toml.rules import FieldError

_WORDS_FOR_YES: Final = frozenset({"true", "yes", "1", "x"})
_WORDS_FOR_NO: Final = frozenset({"false", "no", "0"})
_NEXT_FIELD: Final = re.compile(r",(?=[a-z_]+=)")
_REMARKS: Final = re.compile(r"\[[^\]]*\]|\([^)]*\)")  # of Google's headers: "First Name [Required]"


def _flag(text: str) -> bool:
    word = text.casefold()
    if word not in _WORDS_FOR_YES | _WORDS_FOR_NO:
        raise FieldError(f'expected yes or no, got "{excerpt(text, 40)}"')
    return word in _WORDS_FOR_YES


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise FieldError(f'expected a day such as 2027-01-31, got "{excerpt(text, 40)}"') from None


def _list(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,;]+", text) if word]


_CONVERTERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "name": str,
    "avatar": str,
    "kind": str.lower,
    "first": str,
    "last": str,
    "legal_name": str,
    "title": str,
    "surname_is": str,
    "from": _day,
    "until": _day,
    "protected": _flag,
    "brands": _list,
    "operators": _list,
}

FIELDS: Final = tuple(field for field in _CONVERTERS if field in AGENT)
"""The fields of an agent that a list can fill, in the order in which they are written."""

COLUMNS: Final = ("key", *FIELDS, "email")
"""What a column may be mapped to; `email` makes keys and finds pictures, and is never written."""

_ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "key": ("key", "agentkey"),
    "email": (
        "email",
        "workemail",
        "emailaddress",
        "primaryemail",
        "mail",
        "userprincipalname",
        "login",
        "bestemail",
        "username",
        *("emailadresse", "mailadresse", "courriel", "adresseemail", "correo", "correoelectronico", "emailadres"),
    ),
    # An alias is what Zendesk shows customers in place of an agent's name.
    "name": (
        *("publicname", "alias", "displayname", "anzeigename", "nomaffiche", "weergavenaam"),
        *("name", "fullname", "nomcomplet", "nombrecompleto", "nomecompleto"),
    ),
    "first": (
        *("preferredname", "preferredfirstname", "firstname", "givenname", "namegivenname"),
        *("rufname", "vorname", "prenom", "nombre", "nome", "voornaam", "imie", "fornamn", "fornavn"),
    ),
    "last": (
        *("lastname", "surname", "familyname", "namefamilyname", "nachname", "familienname", "nomdefamille", "nom"),
        *(
            "apellidos",
            "apellido",
            "cognome",
            "sobrenome",
            "apelido",
            "achternaam",
            "nazwisko",
            "efternamn",
            "efternavn",
        ),
    ),
    "title": ("jobtitle", "employeetitle"),
    "avatar": (
        *("photo", "picture", "image", "photourl", "pictureurl", "avatarurl", "thumbnailphotourl", "photofile"),
        *("foto", "bild", "imagen", "immagine", "imagem", "afbeelding"),
    ),
    "until": ("lastday", "enddate"),
    "legal_name": ("legalname",),
}

# Parts of the words for consent, without accents, in the languages above.
_CONSENT: Final = (
    *("consent", "photopermission", "photorelease", "einwillig", "einverstand", "zustimmung", "consenso"),
    *("toestemming", "zgoda", "samtyck", "samtykke"),
)
_NO_CONSENT: Final = frozenset({"consentprovidedforminor"})  # Entra's, of parents


class ColumnMapping(Struct, frozen=True):
    """Which header each field comes from; `given` are those that a person named, or that are called as the field is."""

    columns: Mapping[str, str]
    given: frozenset[str]
    spare_name: str | None = None  # the column that has a name where an alias is empty

    def text(self, cells: Mapping[str, str], field: str) -> str:
        """Return what a row's cells say of a field; empty where they say nothing."""
        text = cells.get(self.columns.get(field, ""), "")
        return text or (cells.get(self.spare_name or "", "") if field == "name" else "")

    def header(self, field: str) -> str | None:
        """Return the header that a field comes from, or None."""
        return self.columns.get(field)


def map_columns(headers: Sequence[str], options: Iterable[str]) -> ColumnMapping:
    """Return the mapping of a list's columns.

    Args:
        headers: the list's.
        options: of ``--map``: ``name=display_name,avatar=photo``; ``email=`` maps nothing to a field.

    Raises:
        UsageError: a field or a column that there isn't.
    """
    columns, given = _guess(headers)
    for field, header in _assignments(options):
        if field not in COLUMNS:
            advice = did_you_mean(field, COLUMNS) or f"; there are {', '.join(COLUMNS)}"
            raise UsageError(f'--map: no field is called "{excerpt(field, 40)}"{advice}')
        columns.pop(field, None)
        given.discard(field)
        if header:
            columns[field] = _find(header, headers)
            given.add(field)
    is_alias = "name" not in given and _plain(columns.get("name", "")) == "alias"
    spare_name = next((header for header in headers if _plain(header) == "name"), None) if is_alias else None
    return ColumnMapping(columns, frozenset(given), spare_name)


def _assignments(options: Iterable[str]) -> Iterable[tuple[str, str]]:
    for option in options:
        for part in _NEXT_FIELD.split(option):
            field, equals, header = part.partition("=")
            if not equals:
                message = f'--map: expected FIELD=COLUMN such as name=display_name, got "{excerpt(part, 40)}"'
                raise UsageError(message)
            yield field.strip(), header.strip()


def _find(header: str, headers: Sequence[str]) -> str:
    if header in headers:
        return header
    alike = [other for other in headers if other.casefold() == header.casefold()]
    if len(alike) == 1:
        return alike[0]
    listed = ", ".join(excerpt(other, 40) for other in headers[:30])
    advice = did_you_mean(header, headers) or f"; there are {listed}"
    raise UsageError(f'--map: no column is called "{excerpt(header, 40)}"{advice}')


def _guess(headers: Sequence[str]) -> tuple[dict[str, str], set[str]]:
    plain = {_plain(header): header for header in reversed(headers)}  # of two alike the first
    columns: dict[str, str] = {}
    given: set[str] = set()
    for field in COLUMNS:
        # A column that is called as the field is meant for it, as those of `roster export`.
        header = _called(field, headers)
        if header is not None and not (field == "name" and "alias" in plain):
            columns[field] = header
            if field != "email":
                given.add(field)
            continue
        alias = next((alias for alias in _ALIASES.get(field, ()) if alias in plain), None)
        if alias is not None:
            columns[field] = plain[alias]
    called = {field: _plain(header) for field, header in columns.items()}
    if "last" not in columns and (called.get("first"), called.get("name")) == ("vorname", "name"):
        columns["last"] = columns.pop("name")  # German lists have "Name, Vorname" for the family's and the given one
        given.discard("name")
    return columns, given


def _called(field: str, headers: Sequence[str]) -> str | None:
    """Return the header that is the field's own word, in any case.

    "Name" in other capitals only is a guess as any other: beside "Anzeigename" it may be the family's.
    """
    if field in headers or field == "name":
        return field if field in headers else None
    return next((header for header in headers if header.casefold() == field), None)


def consent_columns(headers: Iterable[str], mapping: ColumnMapping) -> list[str]:
    """Return the headers that look like consent, which no field is filled from: it is entered by hand."""
    used = {*mapping.columns.values()}
    return [
        header
        for header in headers
        if header not in used and any(word in _plain(header) for word in _CONSENT) and _plain(header) not in _NO_CONSENT
    ]


def _plain(header: str) -> str:
    """Return a header's letters and digits: "firstname" of "Profile.First Name [Required]", "prenom" of "Prénom"."""
    words = _REMARKS.sub("", unicodedata.normalize("NFKD", header)).casefold().removeprefix("profile.")
    return "".join(char for char in words if char.isalnum())


def convert(field: str, text: str) -> Any:
    """Return a cell as the value that the roster holds; FieldError when it can't be one."""
    value = _CONVERTERS[field](text)
    if field not in {"brands", "name", "avatar"}:  # judged with the brands, as a whole name, and as a picture
        AGENT[field](value)
    return value


def as_cell(value: Any) -> str:
    """Return a field's value as the cell that `convert` reads."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value)
