"""Tables and statements, shared by every engine, and the values that rows stand for.

Portable SQL: parameters are named, times are epoch milliseconds, flags are 0 or 1. ``account`` is always the account's
user id at X. Statements name their columns, as a ledger may have more of them than this version fills.

A listing, the ids that X listed before a create, is stored once under the digest of its text: a thousand intents of
one run share it. It goes with the last intent that refers to it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from profilectl.audit.chain import BREAK_ACCEPTED
from profilectl.model import Binding, Dispatch, Intent, Retired, WithdrawnIntent

if TYPE_CHECKING:
    Row = tuple[Any, ...]
    Value = str | int | None

FORMAT = 6
"""The format that this version reads and writes; kept in ``meta`` under "format"."""

REFUSED_NOTE = "profiles refused to "
"""Begins the name of the note in ``meta`` since when X refuses an account, by its user id, the profiles that it had."""

FACE_CHECK_NOTE = "face check of "
"""Begins the name of the note about an account, by its user id, of what a person saw last, and when."""

PIXELS_NOTE = "pixels of "
"""Begins the name of a note in ``meta`` of what a picture file shows; a user id and the file's digest follow."""

READ_AS_IS = frozenset({"4", "5", "6"})
"""The formats whose tables are this one's: a reader needs no other columns, only a writer brings up the indexes."""

PROFILE_EVENTS = (
    *("begun", "intended", "created", "adopted", "retired", "destroyed", "destroyed-stranger", "forgotten"),
    *("blocked", "unblocked", BREAK_ACCEPTED),
)
"""The events that say what became of profiles and agents, and of the record itself: they have an index."""
LIMITED_EVENTS = ("intended", "created", "adopted", "unanswered", "withdrawn", "destroyed", "destroyed-stranger")
"""The events that `sync.quota` counts, of the calls that X limits by the day: they have an index as well."""


def _any_of(events: Iterable[str]) -> str:
    return "(" + " OR ".join(f"""text LIKE '%"what":"{what}"}}'""" for what in events) + ")"


# the texts are canonical, see `audit.chain`: an account comes first, and what happened last; and a text in a name or
# a reason can't look like a key, as its quotes are escaped
_ABOUT_PROFILES = _any_of(PROFILE_EVENTS)
_LIMITED = _any_of(LIMITED_EVENTS)
_OF_ACCOUNT = """text LIKE '{"account":"' || :account || '",%'"""

TABLES = (
    "CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE brands (
        brand TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL, handle TEXT NOT NULL, host TEXT NOT NULL)""",
    """CREATE TABLE bindings (
        account TEXT NOT NULL, agent TEXT NOT NULL, profile_id TEXT NOT NULL, name TEXT NOT NULL, avatar TEXT NOT NULL,
        created_ms BIGINT NOT NULL, bound_ms BIGINT NOT NULL, protected INTEGER NOT NULL, avatar_url TEXT NOT NULL,
        name_as_shown TEXT NOT NULL, PRIMARY KEY (account, agent), UNIQUE (account, profile_id))""",
    "CREATE TABLE listings (digest TEXT NOT NULL PRIMARY KEY, ids TEXT NOT NULL)",
    """CREATE TABLE intents (
        account TEXT NOT NULL, nonce TEXT NOT NULL, agent TEXT NOT NULL, name TEXT NOT NULL, avatar TEXT NOT NULL,
        listing TEXT NOT NULL REFERENCES listings (digest), begun_ms BIGINT NOT NULL, attempt INTEGER NOT NULL,
        attempted_ms BIGINT NOT NULL, protected INTEGER NOT NULL, picture TEXT NOT NULL, boot TEXT NOT NULL,
        attempted_local_ms BIGINT NOT NULL, PRIMARY KEY (account, nonce), UNIQUE (account, agent))""",
    "CREATE INDEX intents_by_listing ON intents (listing)",
    """CREATE TABLE withdrawn (
        account TEXT NOT NULL, nonce TEXT NOT NULL, agent TEXT NOT NULL, name TEXT NOT NULL, avatar TEXT NOT NULL,
        listing TEXT NOT NULL REFERENCES listings (digest), begun_ms BIGINT NOT NULL, attempt INTEGER NOT NULL,
        attempted_ms BIGINT NOT NULL, protected INTEGER NOT NULL, picture TEXT NOT NULL, boot TEXT NOT NULL,
        attempted_local_ms BIGINT NOT NULL, withdrawn_ms BIGINT NOT NULL, PRIMARY KEY (account, nonce))""",
    "CREATE INDEX withdrawn_by_listing ON withdrawn (listing)",
    """CREATE TABLE retired (
        account TEXT NOT NULL, profile_id TEXT NOT NULL, agent TEXT NOT NULL, name TEXT NOT NULL,
        since_ms BIGINT NOT NULL, why TEXT NOT NULL, PRIMARY KEY (account, profile_id))""",
    """CREATE TABLE audit (
        seq BIGINT NOT NULL PRIMARY KEY, prev_hash TEXT NOT NULL, hash TEXT NOT NULL, text TEXT NOT NULL)""",
    # who was whom is asked of a record that is mostly about messages
    f"CREATE INDEX audit_about_profiles ON audit (seq) WHERE {_ABOUT_PROFILES}",
    f"CREATE INDEX audit_of_limited_calls ON audit (seq) WHERE {_LIMITED}",
    """CREATE TABLE dispatches (
        account TEXT NOT NULL, key TEXT NOT NULL, nonce TEXT NOT NULL, agent TEXT NOT NULL, recipient_id TEXT NOT NULL,
        fingerprint TEXT NOT NULL, profile_id TEXT, begun_ms BIGINT NOT NULL, event_id TEXT, confirmed INTEGER NOT NULL,
        PRIMARY KEY (account, key))""",
    "CREATE INDEX dispatches_by_recipient ON dispatches (account, recipient_id)",
    "CREATE TABLE deliveries (account TEXT NOT NULL, event_id TEXT NOT NULL, PRIMARY KEY (account, event_id))",
    """CREATE TABLE sightings (
        account TEXT NOT NULL, profile_id TEXT NOT NULL, seen_ms BIGINT NOT NULL, PRIMARY KEY (account, profile_id))""",
    "CREATE TABLE blocked (account TEXT NOT NULL, agent TEXT NOT NULL, PRIMARY KEY (account, agent))",
    """CREATE TABLE leases (
        account TEXT NOT NULL PRIMARY KEY, epoch BIGINT NOT NULL, command TEXT NOT NULL, pid BIGINT NOT NULL,
        host TEXT NOT NULL, os_user TEXT NOT NULL, since_ms BIGINT NOT NULL, expires_ms BIGINT NOT NULL)""",
)

COUNT_ROWS = """
    SELECT (SELECT COUNT(*) FROM bindings), (SELECT COUNT(*) FROM intents), (SELECT COUNT(*) FROM withdrawn),
        (SELECT COUNT(*) FROM retired), (SELECT COUNT(*) FROM dispatches), (SELECT COUNT(*) FROM audit)"""

SET_FORMAT = "INSERT INTO meta (name, value) VALUES ('format', :format)"
GET_FORMAT = "SELECT value FROM meta WHERE name = 'format'"

GET_MARKS = "SELECT name, value FROM meta WHERE name IN ('moved_to', 'arriving_from')"
SET_MARK = "INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = :value"
DELETE_MARK = "DELETE FROM meta WHERE name = :name"
GET_NOTE = "SELECT value FROM meta WHERE name = :name"

# a row that names where in the record something stands is no part of what a ledger knows: the record is
SAVE_NOTE = "INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = :value"
DELETE_NOTE = "DELETE FROM meta WHERE name = :name"

GET_ACCOUNT = "SELECT account, handle, host FROM brands WHERE brand = :brand"
GET_HOSTS = "SELECT DISTINCT host FROM brands"
GET_BRANDS = "SELECT account, handle, host, brand FROM brands ORDER BY account, handle, host, brand"
GET_USER_IDS = "SELECT DISTINCT account FROM brands ORDER BY account"
GET_OTHER_HOST = "SELECT brand, handle, host FROM brands WHERE account = :account AND host <> :host"
# the id and the host of a known brand never change, see `check_account`
SAVE_ACCOUNT = """
    INSERT INTO brands (brand, account, handle, host) VALUES (:brand, :account, :handle, :host)
    ON CONFLICT (brand) DO UPDATE SET handle = :handle"""

_BINDING = "agent, profile_id, name, avatar, created_ms, bound_ms, protected, avatar_url, name_as_shown"
GET_BINDINGS = f"SELECT {_BINDING} FROM bindings WHERE account = :account ORDER BY agent"  # noqa: S608  # our columns
GET_BINDING = f"SELECT {_BINDING} FROM bindings WHERE account = :account AND agent = :agent"  # noqa: S608  # the same
ADD_BINDING = """
    INSERT INTO bindings (account, agent, profile_id, name, avatar, created_ms, bound_ms, protected, avatar_url,
        name_as_shown)
    VALUES (:account, :agent, :profile_id, :name, :avatar, :created_ms, :bound_ms, :protected, :avatar_url,
        :name_as_shown)"""
DELETE_BINDING = "DELETE FROM bindings WHERE account = :account AND agent = :agent"
SET_PROTECTED = "UPDATE bindings SET protected = :protected WHERE account = :account AND agent = :agent"
SET_SHOWN = "UPDATE bindings SET name_as_shown = :name WHERE account = :account AND profile_id = :profile_id"

_INTENT = """nonce, agent, name, avatar, listing, begun_ms, attempt, attempted_ms, protected, picture, boot,
    attempted_local_ms"""
GET_INTENTS = f"SELECT {_INTENT} FROM intents WHERE account = :account ORDER BY begun_ms, agent"  # noqa: S608  # same
GET_INTENT = f"SELECT {_INTENT} FROM intents WHERE account = :account AND nonce = :nonce"  # noqa: S608  # the same
GET_INTENT_OF = f"SELECT {_INTENT} FROM intents WHERE account = :account AND agent = :agent"  # noqa: S608  # the same
ADD_INTENT = """
    INSERT INTO intents (account, nonce, agent, name, avatar, listing, begun_ms, attempt, attempted_ms, protected,
        picture, boot, attempted_local_ms)
    VALUES (:account, :nonce, :agent, :name, :avatar, :listing, :begun_ms, :attempt, :attempted_ms, :protected,
        :picture, :boot, :attempted_local_ms)"""
COUNT_ATTEMPT = """
    UPDATE intents SET attempt = attempt + 1, attempted_ms = :attempted_ms, boot = :boot, attempted_local_ms = :local_ms
    WHERE account = :account AND nonce = :nonce"""
SET_ATTEMPTED = """
    UPDATE intents SET attempted_ms = :attempted_ms, boot = :boot, attempted_local_ms = :local_ms
    WHERE account = :account AND nonce = :nonce"""
DELETE_INTENT = "DELETE FROM intents WHERE account = :account AND nonce = :nonce"

GET_WITHDRAWN = f"SELECT {_INTENT}, withdrawn_ms FROM withdrawn WHERE account = :account ORDER BY begun_ms, nonce"  # noqa: S608
GET_WITHDRAWN_INTENT = f"SELECT {_INTENT} FROM withdrawn WHERE account = :account AND nonce = :nonce"  # noqa: S608
ADD_WITHDRAWN = f"""
    INSERT INTO withdrawn (account, {_INTENT}, withdrawn_ms)
    SELECT account, {_INTENT}, :now_ms FROM intents WHERE account = :account AND nonce = :nonce"""  # noqa: S608
DELETE_WITHDRAWN = "DELETE FROM withdrawn WHERE account = :account AND nonce = :nonce"
DELETE_OLD_WITHDRAWN = "DELETE FROM withdrawn WHERE withdrawn_ms < :before_ms RETURNING nonce"

GET_LISTINGS = """
    SELECT digest, ids FROM listings WHERE digest IN (
        SELECT listing FROM intents WHERE account = :account
        UNION SELECT listing FROM withdrawn WHERE account = :account)"""
ADD_LISTING = "INSERT INTO listings (digest, ids) VALUES (:digest, :ids) ON CONFLICT (digest) DO NOTHING"
DELETE_UNUSED_LISTING = """
    DELETE FROM listings WHERE digest = :digest AND NOT EXISTS (SELECT 1 FROM intents WHERE listing = :digest)
        AND NOT EXISTS (SELECT 1 FROM withdrawn WHERE listing = :digest)"""
DELETE_UNUSED_LISTINGS = """
    DELETE FROM listings WHERE digest NOT IN (SELECT listing FROM intents UNION SELECT listing FROM withdrawn)"""

GET_RETIRED = """
    SELECT profile_id, agent, name, since_ms, why FROM retired WHERE account = :account ORDER BY since_ms, profile_id"""
ADD_RETIRED = """
    INSERT INTO retired (account, profile_id, agent, name, since_ms, why)
    VALUES (:account, :profile_id, :agent, :name, :since_ms, :why)"""
DELETE_RETIRED = "DELETE FROM retired WHERE account = :account AND profile_id = :profile_id"

GET_OWNER = """
    SELECT agent, name, 'bound' FROM bindings WHERE account = :account AND profile_id = :profile_id
    UNION ALL
    SELECT agent, name, 'retired' FROM retired WHERE account = :account AND profile_id = :profile_id"""

HAS_ROWS = """
    SELECT 1 FROM bindings WHERE account = :account UNION ALL SELECT 1 FROM intents WHERE account = :account
    UNION ALL SELECT 1 FROM withdrawn WHERE account = :account UNION ALL SELECT 1 FROM retired WHERE account = :account
    LIMIT 1"""
# each names the index's own condition, word for word
HAS_RECORD = f"""
    SELECT 1 FROM audit WHERE {_ABOUT_PROFILES} AND {_OF_ACCOUNT} AND (
        text LIKE '%"what":"intended"}}' OR text LIKE '%"what":"created"}}' OR text LIKE '%"what":"adopted"}}'
        OR text LIKE '%"what":"begun"}}') LIMIT 1"""  # noqa: S608  # our conditions
GET_RETIREMENTS = f"""
    SELECT seq, prev_hash, hash, text FROM audit WHERE {_ABOUT_PROFILES} AND {_OF_ACCOUNT} AND (
        text LIKE '%"what":"retired"}}' OR text LIKE '%"replaced":"%')"""  # noqa: S608  # our conditions
GET_ACCEPTED_BREAKS = f"""
    SELECT seq, prev_hash, hash, text FROM audit WHERE {_ABOUT_PROFILES} AND text LIKE '%"what":"{BREAK_ACCEPTED}"}}'
    ORDER BY seq"""  # noqa: S608  # our conditions
GET_NEWEST_FACE_CHECK = f"""
    SELECT seq, prev_hash, hash, text FROM audit
    WHERE seq > :after AND {_OF_ACCOUNT} AND text LIKE '%"what":"face-check"}}' ORDER BY seq DESC LIMIT 1"""  # noqa: S608
GET_PROFILE_RECORDS = f"""
    SELECT seq, prev_hash, hash, text FROM audit WHERE {_ABOUT_PROFILES} AND {_OF_ACCOUNT} AND seq > :after
    ORDER BY seq LIMIT :limit"""  # noqa: S608  # our conditions
GET_PROFILE_RECORDS_BACKWARDS = f"""
    SELECT seq, prev_hash, hash, text FROM audit WHERE {_ABOUT_PROFILES} AND {_OF_ACCOUNT} AND seq < :before
    ORDER BY seq DESC LIMIT :limit"""  # noqa: S608  # our conditions
GET_LIMITED_RECORDS_BACKWARDS = f"""
    SELECT seq, prev_hash, hash, text FROM audit WHERE {_LIMITED} AND seq < :before
    ORDER BY seq DESC LIMIT :limit"""  # noqa: S608  # our conditions

GET_NOTED_RECORD = """
    SELECT seq, prev_hash, hash, text FROM audit
    WHERE seq = (SELECT CAST(value AS BIGINT) FROM meta WHERE name = :name)"""
GET_LAST_RECORD = "SELECT seq, prev_hash, hash, text FROM audit ORDER BY seq DESC LIMIT 1"
GET_RECORDS = "SELECT seq, prev_hash, hash, text FROM audit WHERE seq > :after ORDER BY seq LIMIT :limit"
GET_RECORDS_BACKWARDS = """
    SELECT seq, prev_hash, hash, text FROM audit WHERE seq < :before ORDER BY seq DESC LIMIT :limit"""
ADD_RECORD = "INSERT INTO audit (seq, prev_hash, hash, text) VALUES (:seq, :prev_hash, :hash, :text)"

SET_RECORD_TEXT = "UPDATE audit SET text = :text WHERE seq = :seq"
DELETE_OLD_DISPATCHES = """
    DELETE FROM dispatches WHERE account = :account AND begun_ms < :before_ms AND event_id IS NOT NULL RETURNING key"""

TEXT_KEY = "text_key:"
"""How a row of ``meta`` is called that has the key of the digests of texts, in front of the month of its making."""
GET_TEXT_KEYS = f"SELECT name, value FROM meta WHERE name LIKE '{TEXT_KEY}%' ORDER BY name DESC"  # noqa: S608  # ours
ADD_TEXT_KEY = "INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING"

GET_PIXELS = f"SELECT name, value FROM meta WHERE name LIKE '{PIXELS_NOTE}' || :account || ' %'"  # noqa: S608  # ours

GET_DISPATCH = """
    SELECT key, nonce, agent, recipient_id, fingerprint, profile_id, begun_ms, event_id, confirmed FROM dispatches
    WHERE account = :account AND key = :key"""
GET_OPEN_SENDS = """
    SELECT profile_id, MAX(begun_ms) FROM dispatches
    WHERE account = :account AND event_id IS NULL AND profile_id IS NOT NULL GROUP BY profile_id"""
GET_OPEN_DISPATCHES = """
    SELECT key, nonce, agent, recipient_id, fingerprint, profile_id, begun_ms, event_id, confirmed FROM dispatches
    WHERE account = :account AND event_id IS NULL ORDER BY begun_ms, key"""
HAS_CONTACT = """
    SELECT 1 FROM dispatches WHERE account = :account AND recipient_id = :recipient_id AND event_id IS NOT NULL
    LIMIT 1"""
ADD_DISPATCH = """
    INSERT INTO dispatches (account, key, nonce, agent, recipient_id, fingerprint, profile_id, begun_ms, event_id,
        confirmed)
    VALUES (:account, :key, :nonce, :agent, :recipient_id, :fingerprint, :profile_id, :begun_ms, NULL, 0)
    ON CONFLICT (account, key) DO NOTHING RETURNING key"""
# only a finished dispatch, and only the one that the caller saw: what is open may be on its way right now
REPLACE_DISPATCH = """
    UPDATE dispatches SET nonce = :nonce, agent = :agent, recipient_id = :recipient_id, fingerprint = :fingerprint,
        profile_id = :profile_id, begun_ms = :begun_ms, event_id = NULL, confirmed = 0
    WHERE account = :account AND key = :key AND nonce = :former AND event_id IS NOT NULL
    RETURNING key"""
# what is overwritten may be the only proof that a customer was written to, and its successor may never leave
KEEP_CONTACT = """
    INSERT INTO dispatches (account, key, nonce, agent, recipient_id, fingerprint, profile_id, begun_ms, event_id,
        confirmed)
    SELECT account, 'auto:contact:' || recipient_id, nonce, agent, recipient_id, fingerprint, profile_id, begun_ms,
        event_id, confirmed
    FROM dispatches WHERE account = :account AND key = :key AND event_id IS NOT NULL
    ON CONFLICT (account, key) DO NOTHING"""
FINISH_DISPATCH = """
    UPDATE dispatches SET event_id = :event_id, confirmed = :confirmed
    WHERE account = :account AND key = :key AND nonce = :nonce RETURNING key"""
DELETE_OPEN_DISPATCH = """
    DELETE FROM dispatches WHERE account = :account AND key = :key AND nonce = :nonce AND event_id IS NULL
    RETURNING key"""
ADD_DELIVERY = "INSERT INTO deliveries (account, event_id) VALUES (:account, :event_id) ON CONFLICT DO NOTHING"
GET_DELIVERY = "SELECT event_id FROM deliveries WHERE account = :account AND event_id = :event_id"

GET_SIGHTING = "SELECT seen_ms FROM sightings WHERE account = :account AND profile_id = :profile_id"
SET_SIGHTING = """
    INSERT INTO sightings (account, profile_id, seen_ms) VALUES (:account, :profile_id, :seen_ms)
    ON CONFLICT (account, profile_id) DO UPDATE SET seen_ms = :seen_ms"""
DELETE_SIGHTING = "DELETE FROM sightings WHERE account = :account AND profile_id = :profile_id"

GET_BLOCKED = "SELECT agent FROM blocked WHERE account = :account"
ADD_BLOCKED = "INSERT INTO blocked (account, agent) VALUES (:account, :agent) ON CONFLICT DO NOTHING"
DELETE_BLOCKED = "DELETE FROM blocked WHERE account = :account AND agent = :agent"

RENAME_AGENT = tuple(
    f"UPDATE {table} SET agent = :new WHERE account = :account AND agent = :agent{condition}"  # noqa: S608  # our words
    for table, condition in (
        *(("bindings", ""), ("intents", ""), ("withdrawn", ""), ("retired", "")),
        ("dispatches", " AND event_id IS NULL"),  # what has ended keeps the key of then, as the record does
    )
)

# a run has the row of each account that it is about, all of one epoch, or that of `lease.ALL`
GET_LEASES = """
    SELECT account, epoch, command, pid, host, os_user, since_ms, expires_ms FROM leases ORDER BY epoch DESC, account"""
SAVE_LEASE = """
    INSERT INTO leases (account, epoch, command, pid, host, os_user, since_ms, expires_ms)
    VALUES (:account, :epoch, :command, :pid, :host, :os_user, :since_ms, :expires_ms)
    ON CONFLICT (account) DO UPDATE SET epoch = :epoch, command = :command, pid = :pid, host = :host,
        os_user = :os_user, since_ms = :since_ms, expires_ms = :expires_ms"""
DELETE_LEASE = "DELETE FROM leases WHERE account = :account"
RENEW_LEASES = """
    UPDATE leases SET expires_ms = :expires_ms WHERE epoch = :epoch AND since_ms = :since_ms RETURNING account"""


def _table(name: str) -> str:
    return next(statement for statement in TABLES if statement.startswith(f"CREATE TABLE {name} ("))


_FORMER_BINDING = _BINDING.removesuffix(", name_as_shown")
_FORMER_INTENT = _INTENT.partition(", picture")[0]

# a table that gets columns is made anew, so that it is written down as in a ledger that never was older
_FROM_FORMAT_2 = (
    "DROP INDEX intents_by_listing",
    "ALTER TABLE bindings RENAME TO former_bindings",
    _table("bindings"),
    f"INSERT INTO bindings ({_BINDING}, account) SELECT {_FORMER_BINDING}, '', account FROM former_bindings",  # noqa: S608
    "DROP TABLE former_bindings",
    "ALTER TABLE intents RENAME TO former_intents",
    _table("intents"),
    f"INSERT INTO intents ({_INTENT}, account) SELECT {_FORMER_INTENT}, '', '', 0, account FROM former_intents",  # noqa: S608
    "DROP TABLE former_intents",
    _table("withdrawn"),
    *(statement for statement in TABLES if statement.endswith("_by_listing ON intents (listing)")),
    *(statement for statement in TABLES if statement.endswith("_by_listing ON withdrawn (listing)")),
    "UPDATE meta SET value = '3' WHERE name = 'format'",
)

MIGRATIONS = {
    "2": _FROM_FORMAT_2,
    "3": (_table("leases"), "UPDATE meta SET value = '4' WHERE name = 'format'"),
    "4": (
        *(
            statement
            for statement in TABLES
            if statement.startswith(("CREATE INDEX audit_about_profiles", "CREATE INDEX dispatches_"))
        ),
        "UPDATE meta SET value = '5' WHERE name = 'format'",
    ),
    "5": (
        *(statement for statement in TABLES if statement.startswith("CREATE INDEX audit_of_limited_calls")),
        "UPDATE meta SET value = '6' WHERE name = 'format'",
    ),
}
"""What turns a ledger of each earlier format that is still read into one of the next format, within one transaction."""


@functools.cache
def objects() -> dict[tuple[str, str], str]:
    """Return what `TABLES` makes: the statement, `squeezed`, by kind ("table", "index") and name."""
    made = {}
    for statement in TABLES:
        kind, name = re.findall(r"\w+", statement)[1:3]
        made[kind.lower(), name] = squeezed(statement)
    return made


def squeezed(statement: str | None) -> str:
    """Return a statement without its white space, which databases keep or don't."""
    return "".join((statement or "").split())


def is_own(own: str, statement: str) -> bool:
    """Say whether a table was made by one of `TABLES`, or has more plain columns; both statements are `squeezed`."""
    if own == statement:
        return True
    constraints = re.search(r",(PRIMARYKEY|UNIQUE)\(|\)$", own)
    end = len(own) if constraints is None else constraints.start()
    return re.fullmatch(rf"{re.escape(own[:end])}(,\w+)*{re.escape(own[end:])}", statement) is not None


def columns(value: Binding | Dispatch | Intent | Retired) -> dict[str, Value]:
    """Return a value's fields as columns, which have the same names, but for an intent's listing."""
    contents = {name: getattr(value, name) for name in value.__struct_fields__ if name != "listed"}
    # a driver other than SQLite's doesn't take a boolean for an INTEGER column
    return {name: int(content) if isinstance(content, bool) else content for name, content in contents.items()}


def to_binding(row: Row) -> Binding:
    """Return the binding of a row of ``bindings``."""
    *others, protected, avatar_url, name_as_shown = row
    return Binding(*(*others, bool(protected), avatar_url, name_as_shown))


def to_intent(row: Row, listings: Mapping[str, frozenset[str]]) -> Intent:
    """Return the intent of a row of ``intents``, its listing looked up by digest."""
    nonce, agent, name, avatar, digest, begun_ms, attempt, attempted_ms, protected, *others = row
    times = begun_ms, attempt, attempted_ms
    return Intent(*(nonce, agent, name, avatar, listings[digest], *times, bool(protected), *others))


def to_withdrawn(row: Row, listings: Mapping[str, frozenset[str]]) -> WithdrawnIntent:
    """Return the closed intent of a row of ``withdrawn``, its listing looked up by digest."""
    return WithdrawnIntent(to_intent(row[:-1], listings), row[-1])


def to_open_intent(row: Row) -> tuple[Intent, str]:
    """Return the intent of a row of ``intents`` with an empty listing, and its listing's digest."""
    digest = row[4]
    return to_intent(row, {digest: frozenset()}), digest


def to_dispatch(row: Row) -> Dispatch:
    """Return the dispatch of a row of ``dispatches``."""
    *others, confirmed = row
    return Dispatch(*(*others, bool(confirmed)))


@functools.lru_cache(maxsize=1)  # a run's intents have one listing, which may name thousands of profiles
def listing(ids: frozenset[str]) -> tuple[str, str]:
    """Return the digest and the text that a set of ids is stored as: sorted, one space between."""
    import hashlib

    text = " ".join(sorted(ids))
    return hashlib.sha256(text.encode()).hexdigest(), text
