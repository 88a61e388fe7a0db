"""The values that the packages pass around: frozen, plain, and ignorant of files, clocks and networks.

Times at X and in the ledger are epoch milliseconds (int, X's clock); durations of the roster are seconds (int);
digests are ``sha256:`` and 64 hex digits; ids of X are strings of digits and are never turned into numbers.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import date
from typing import ClassVar

from msgspec import Struct, field


class Kind(enum.StrEnum):
    """Who stands behind a profile."""

    HUMAN = "human"
    BOT = "bot"


class ShortRepr(Struct, frozen=True):
    """A value whose repr leaves out the fields in `unshown`: a file's bytes have no place in a log."""

    unshown: ClassVar[frozenset[str]]

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [(name, getattr(self, name)) for name in self.__struct_fields__ if name not in self.unshown]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"


class Problem(Struct, frozen=True):
    """One thing wrong with a file, at its place; lines and columns count from 1, 0 means "the whole file"."""

    file: str
    line: int
    column: int
    path: str
    message: str
    severity: str = "error"  # "error" | "warning"
    rule: str = ""  # the id of what was broken, see `roster.checks.rules`
    hint: str = ""  # what to do, where the message doesn't say so itself


DRAWN = "data:"
"""Begins what stands in place of a picture's path where initials are drawn: then come the agent's key, ",", a name."""

DECORATED = f"{DRAWN}/"
"""Begins what stands in place of a picture's path where a brand's decoration is drawn on it; no agent's key has "/"."""


class Decoration(Struct, frozen=True):
    """What is drawn on every picture of a brand, and how large these are."""

    badge: str | None = None  # path of a picture, as the roster writes it
    ring: str | None = None  # a colour, #rrggbb in lower case
    size: int = 400  # pixels, the side of what is uploaded at most

    def of(self, avatar: str) -> str:
        """Return what stands in place of a picture's path, or of what is drawn, when this is drawn on it."""
        # Divided by tabs, which no path of a roster can hold; the avatar stands last, whatever is in it.
        return "\t".join((f"{DECORATED}{self.size}", self.ring or "", self.badge or "", avatar))


def undecorated(avatar: str) -> tuple[Decoration | None, str]:
    """Return what is drawn on an agent's picture, if anything, and the picture alone; see `Decoration.of`."""
    if not avatar.startswith(DECORATED):
        return None, avatar
    size, ring, badge, plain = avatar.removeprefix(DECORATED).split("\t", 3)
    return Decoration(badge or None, ring or None, int(size)), plain


class Brand(Struct, frozen=True):
    """An X account that sends Direct Messages."""

    key: str
    handle: str  # without @
    language: str = "en"
    fallback: str = "none"  # "none" | "sign-off"
    privacy_url: str | None = None  # the brand's privacy policy, which every feedback card links to
    decoration: Decoration | None = None  # None: pictures are shown as they are


class Waiver(Struct, frozen=True):
    """One rule that doesn't count for one agent, with a reason and an end."""

    rule: str  # its id
    agent: str
    reason: str
    until: date  # the last day


class Policy(Struct, frozen=True):
    """The roster's ``[policy]``, with contract defaults."""

    max_deletes: int = 5
    max_delete_ratio: float = 0.25
    retire_after: int = 15 * 60  # seconds
    settle_after: int = 60  # seconds
    disclosure: str = "enforce"  # "enforce" | "warn"
    test_recipients: tuple[str, ...] = ()
    bot_markers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by language
    timezone: str = "UTC"  # IANA name; in which days begin and end, the same on every machine
    audit_text: bool = False  # whether the audit trail keeps what was sent, not only its hash
    consent: str = "record"  # "require" | "record" | "off"
    when_withdrawn: str = "none"  # "none" | "sign-off": how messages go out once X has taken custom profiles away
    ai_faces: str = "refuse"  # "refuse" | "record": pictures of humans that are marked as machine-made
    impersonation: tuple[str, ...] = ()  # names that no agent may resemble
    waivers: tuple[Waiver, ...] = ()


class Consent(Struct, frozen=True):
    """What a person has agreed to, and where that is kept."""

    name: bool
    photo: bool
    ref: str | None = None  # of the document, such as a file number
    given: date | None = None  # the first day
    expires: date | None = None  # the last day


class Agent(Struct, frozen=True):
    """A person or a bot as one brand shows it: defaults, overrides and name pattern already applied."""

    key: str
    brand: str  # the brand's key
    name: str  # public, NFC, 1 to 48 code points
    avatar: str  # relative to the roster's folder, as written; or drawn, see `DRAWN`, `DECORATED`
    kind: Kind
    operators: tuple[str, ...] = ()  # OS users; empty: anybody with the credentials
    first: str | None = None
    last: str | None = None
    legal_name: str | None = None
    title: str | None = None
    surname_is: str | None = None  # a family name that would be taken for a bot's marker
    until: date | None = None  # the last day
    protected: bool = False
    line: int = 0  # of its table in the roster, for messages
    consent: Consent | None = None
    withheld: str = ""  # without consent: "photo", or "name" for both; name and avatar are neutral already
    own_name: str = ""  # the roster's, where it is withheld
    own_avatar: str = ""  # likewise
    starts: date | None = None  # the first day
    labels: tuple[tuple[str, str], ...] = ()  # free, in the order of their names

    def state_on(self, day: date) -> str:
        """Return "over" after the last day, "to come" before the first one, else nothing."""
        if self.until is not None and self.until < day:
            return "over"
        return "to come" if self.starts is not None and self.starts > day else ""


class Move(Struct, frozen=True):
    """An agent's key that was changed: what the ledger has under `old` belongs to `new`."""

    old: str
    new: str  # an agent of the roster, also where several entries lead there


class Roster(Struct, frozen=True):
    """A roster without errors."""

    brands: tuple[Brand, ...]
    agents: tuple[Agent, ...]  # one entry per agent and brand, in file order
    policy: Policy = field(default_factory=Policy)
    warnings: tuple[Problem, ...] = ()
    text: str = ""  # of the file; only a plan needs its digest, and the hash's library takes 3 ms to load
    moved: tuple[Move, ...] = ()  # the newest key of each former one

    def brand(self, key: str) -> Brand:
        """Return the brand with that key; KeyError when there is none."""
        for brand in self.brands:
            if brand.key == key:
                return brand
        raise KeyError(key)

    def agents_of(self, brand: str) -> tuple[Agent, ...]:
        """Return the agents of one brand, in file order."""
        return tuple(agent for agent in self.agents if agent.brand == brand)


class Shape(Struct, frozen=True):
    """What a picture file's head says of it; 0 pixels where it can't be read."""

    width: int = 0
    height: int = 0
    is_animated: bool = False
    has_alpha: bool = False  # some pixels may be transparent, though often none is


class Picture(Struct, frozen=True):
    """A source file that may become an avatar: read and hashed, not decoded."""

    path: str  # as the roster writes it, or what stands in its place, see `DRAWN` and `DECORATED`
    digest: str  # of the file's bytes; with a decoration of all that it is made from
    size: int  # bytes
    mark: str = ""  # what the file says of its origin, see `pictures.provenance.find_mark`
    shape: Shape = Shape()


class PreparedPicture(ShortRepr, frozen=True):
    """What is uploaded: square, at most 400x400, without metadata but the mark of a machine-made picture."""

    unshown = frozenset({"content"})

    content: bytes
    media_type: str  # "image/jpeg" | "image/png"
    source_digest: str  # the `Picture.digest` of what it was made from
    signature: str = ""  # of what it shows, see `pictures.similarity`: X encodes every picture anew
    made_by: str = ""  # IPTC's word for what made it, where the file and the upload say that a machine did
    pixels: str = ""  # digest of what it shows, to the pixel, and of `made_by`; another Pillow may decode otherwise


class Account(Struct, frozen=True):
    """Who X says the credentials belong to."""

    user_id: str
    handle: str  # without @
    host: str  # API host name, without port
    access_level: str | None = None  # header x-access-level
    verified: bool | None = None  # X's badge; None when X doesn't say


class Profile(Struct, frozen=True):
    """A custom profile as X knows it."""

    id: str
    name: str
    avatar_url: str
    created_ms: int


class Binding(Struct, frozen=True):
    """Which profile belongs to which agent of an account."""

    agent: str
    profile_id: str
    name: str  # as it was asked for
    avatar: str  # digest of the source file
    created_ms: int  # X's clock
    bound_ms: int
    protected: bool = False  # outlives the roster entry
    avatar_url: str = ""
    name_as_shown: str = ""  # as X spells it, which may escape, fold or drop characters; empty: not seen yet


class LocalTime(Struct, frozen=True):
    """A moment by a clock that nobody can set: milliseconds since a machine was started."""

    boot: str  # which start of which machine; empty where the system doesn't tell
    ms: int

    def since(self, earlier: LocalTime) -> int | None:
        """Return the milliseconds since a moment, None when it was of another start, or nobody knows."""
        return self.ms - earlier.ms if self.boot and self.boot == earlier.boot else None


class Intent(Struct, frozen=True):
    """The durable record that a create is about to be sent; closed when it is known what became of it."""

    nonce: str
    agent: str
    name: str
    avatar: str  # digest of the source file
    listed: frozenset[str]  # ids X listed before the first attempt
    begun_ms: int  # X's clock, a lower bound
    attempt: int = 1
    attempted_ms: int = 0  # X's clock: when the last attempt is over at the latest, rewritten with every attempt
    protected: bool = False
    picture: str = ""  # signature of what was uploaded, see `pictures.similarity`
    boot: str = ""  # which start of which machine `attempted_local_ms` counts from; empty: unknown
    attempted_local_ms: int = 0  # as `attempted_ms`, by that machine's clock, which nobody can set
    made_by: str = ""  # of the uploaded picture, see `PreparedPicture`


class WithdrawnIntent(Struct, frozen=True):
    """An intent that was closed as one that made nothing, remembered in case X applies its create late."""

    intent: Intent
    withdrawn_ms: int  # X's clock


class Retired(Struct, frozen=True):
    """A profile of ours that no agent uses any more and that will be destroyed."""

    profile_id: str
    agent: str
    name: str
    since_ms: int
    why: str  # "replaced": destroyed after the policy's grace | "removed": destroyed at once


class LedgerState(Struct, frozen=True):
    """Everything that the ledger knows about one account, read at one moment."""

    bindings: tuple[Binding, ...] = ()
    intents: tuple[Intent, ...] = ()
    retired: tuple[Retired, ...] = ()
    withdrawn: tuple[WithdrawnIntent, ...] = ()
    blocked: frozenset[str] = frozenset()  # agents who were offboarded: nothing is sent as them or made for them

    def binding(self, agent: str) -> Binding | None:
        """Return the agent's binding, or None."""
        return next((binding for binding in self.bindings if binding.agent == agent), None)


class Prices(Struct, frozen=True):
    """What X takes for a call, on some day."""

    amounts: Mapping[str, float]  # by call: "dm", "upload", "create", "destroy"; what isn't there is unknown
    currency: str
    as_of: date  # when somebody read them


class LedgerAccount(Struct, frozen=True):
    """An account that a ledger knows, and the brands that stand for it in some roster."""

    user_id: str
    handle: str
    host: str  # of X
    brands: tuple[str, ...]


class LedgerSummary(Struct, frozen=True):
    """A ledger in numbers; `last_ms` is when its newest audit record was made, 0 where it has none."""

    format: str
    accounts: tuple[LedgerAccount, ...]
    bindings: int
    intents: int
    withdrawn: int
    retired: int
    dispatches: int
    records: int
    last_seq: int
    last_ms: int


Detail = Mapping[str, str | int | bool | None]
"""What the audit trail notes of an event, beyond the fields that every event has."""


class Event(Struct, frozen=True):
    """Something that happened, for the audit trail; never a secret, never a message's text."""

    what: str  # "created", "destroyed", "promised", "sent" …
    account: str  # user id
    at_ms: int
    agent: str | None = None
    profile_id: str | None = None
    detail: Detail = field(default_factory=dict)


class Link(Struct, frozen=True):
    """A button beneath a message, X's "call to action"."""

    label: str  # at most 36 code points
    url: str


class Message(Struct, frozen=True):
    """One Direct Message, ready to leave."""

    agent: str
    brand: str
    recipient_id: str
    text: str
    profile_id: str | None  # None: without one, signed off in the text
    media_id: str | None = None
    quick_replies: tuple[str, ...] = ()  # labels
    links: tuple[Link, ...] = ()


class SentMessage(Struct, frozen=True):
    """A message that X took, as its answer or its list of events shows it."""

    event_id: str
    sender_id: str
    recipient_id: str
    profile_id: str | None  # the echo; None when X dropped it
    text: str = ""
    created_ms: int = 0  # X's clock
    has_attachment: bool = False
    quick_replies: tuple[str, ...] = ()  # labels of the answers that were offered
    buttons: tuple[str, ...] = ()  # labels
    attachment_url: str | None = None  # where X shows a picture to those who may see it


class Dispatch(Struct, frozen=True):
    """The durable record that a message is about to be sent under a key, and what became of it."""

    key: str
    nonce: str  # of this very attempt: only the process that recorded it may finish or cancel it
    agent: str
    recipient_id: str
    fingerprint: str  # digest of everything that the customer would get
    profile_id: str | None  # that it carries
    begun_ms: int  # X's clock, a lower bound
    event_id: str | None = None  # None: nobody knows yet whether it went out
    confirmed: bool = False  # X showed the message with this profile


class Survey(enum.StrEnum):
    """What a feedback card asks."""

    CSAT = "csat"  # how satisfied, 1 to 5
    NPS = "nps"  # how likely to recommend, 0 to 10


class Ask(Struct, frozen=True):
    """A feedback card, ready to be issued."""

    survey: Survey
    recipient_id: str
    text: str  # the message that the card hangs on
    privacy_url: str
    external_id: str  # ours, returned with the answer; at most 256 characters
    variant: int = 0  # of X's wordings of the question
    display_name: str | None = None  # in the question, at most 20 characters; None: the brand's
    is_test: bool = False


class Card(Struct, frozen=True):
    """A feedback card as X lists it, without what would name the customer: no id, no handle, no text."""

    id: str
    survey: Survey
    external_id: str  # empty for a card that isn't ours
    is_test: bool
    created_ms: int
    updated_ms: int
    score: int | None = None  # None: not answered
    answered_ms: int | None = None  # when the score was given; None where X doesn't tell
