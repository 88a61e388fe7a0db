"""Tables and statements, shared by every engine.

Portable SQL: parameters are named, times are epoch milliseconds, flags are 0 or 1. ``account`` is always the account's
user id at X.

A listing, the ids that X listed before a create, is stored once under the digest of its text: a thousand intents of
one run share it. It goes with the last intent that refers to it.
"""

from __future__ import annotations

FORMAT = 2
"""The format that this version reads and writes; kept in ``meta`` under "format"."""

TABLES = (
    "CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE brands (
        brand TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL, handle TEXT NOT NULL, host TEXT NOT NULL)""",
    """CREATE TABLE bindings (
        account TEXT NOT NULL, agent TEXT NOT NULL, profile_id TEXT NOT NULL, name TEXT NOT NULL, avatar TEXT NOT NULL,
        created_ms BIGINT NOT NULL, bound_ms BIGINT NOT NULL, protected INTEGER NOT NULL, avatar_url TEXT NOT NULL,
        PRIMARY KEY (account, agent), UNIQUE (account, profile_id))""",
    "CREATE TABLE listings (digest TEXT NOT NULL PRIMARY KEY, ids TEXT NOT NULL)",
    """CREATE TABLE intents (
        account TEXT NOT NULL, nonce TEXT NOT NULL, agent TEXT NOT NULL, name TEXT NOT NULL, avatar TEXT NOT NULL,
        listing TEXT NOT NULL REFERENCES listings (digest), begun_ms BIGINT NOT NULL, attempt INTEGER NOT NULL,
        attempted_ms BIGINT NOT NULL, protected INTEGER NOT NULL,
        PRIMARY KEY (account, nonce), UNIQUE (account, agent))""",
    "CREATE INDEX intents_by_listing ON intents (listing)",
    """CREATE TABLE retired (
        account TEXT NOT NULL, profile_id TEXT NOT NULL, agent TEXT NOT NULL, name TEXT NOT NULL,
        since_ms BIGINT NOT NULL, why TEXT NOT NULL, PRIMARY KEY (account, profile_id))""",
    """CREATE TABLE audit (
        seq BIGINT NOT NULL PRIMARY KEY, prev_hash TEXT NOT NULL, hash TEXT NOT NULL, text TEXT NOT NULL)""",
)
TABLES_SINCE_2 = (
    """CREATE TABLE dispatches (
        account TEXT NOT NULL, key TEXT NOT NULL, nonce TEXT NOT NULL, agent TEXT NOT NULL, recipient_id TEXT NOT NULL,
        fingerprint TEXT NOT NULL, profile_id TEXT, begun_ms BIGINT NOT NULL, event_id TEXT, confirmed INTEGER NOT NULL,
        PRIMARY KEY (account, key))""",
    "CREATE TABLE deliveries (account TEXT NOT NULL, event_id TEXT NOT NULL, PRIMARY KEY (account, event_id))",
    """CREATE TABLE sightings (
        account TEXT NOT NULL, profile_id TEXT NOT NULL, seen_ms BIGINT NOT NULL, PRIMARY KEY (account, profile_id))""",
    "CREATE TABLE blocked (account TEXT NOT NULL, agent TEXT NOT NULL, PRIMARY KEY (account, agent))",
)
"""What format 1 hadn't yet; a ledger of that format gets them when it is first written to."""

SET_FORMAT = """
    INSERT INTO meta (name, value) VALUES ('format', :format) ON CONFLICT (name) DO UPDATE SET value = :format"""
GET_FORMAT = "SELECT value FROM meta WHERE name = 'format'"

GET_ACCOUNT = "SELECT account, handle, host FROM brands WHERE brand = :brand"
GET_OTHER_HOST = "SELECT brand, handle, host FROM brands WHERE account = :account AND host <> :host"
CLAIM = """
    INSERT INTO brands (brand, account, handle, host) VALUES (:brand, :account, :handle, :host)
    ON CONFLICT (brand) DO UPDATE SET handle = :handle"""

_BINDING = "agent, profile_id, name, avatar, created_ms, bound_ms, protected, avatar_url"
GET_BINDINGS = f"SELECT {_BINDING} FROM bindings WHERE account = :account ORDER BY agent"  # noqa: S608  # our columns
GET_BINDING = f"SELECT {_BINDING} FROM bindings WHERE account = :account AND agent = :agent"  # noqa: S608  # the same
BIND = """
    INSERT INTO bindings (account, agent, profile_id, name, avatar, created_ms, bound_ms, protected, avatar_url)
    VALUES (:account, :agent, :profile_id, :name, :avatar, :created_ms, :bound_ms, :protected, :avatar_url)"""
UNBIND = "DELETE FROM bindings WHERE account = :account AND agent = :agent"
PROTECT = "UPDATE bindings SET protected = :protected WHERE account = :account AND agent = :agent"

_INTENT = "nonce, agent, name, avatar, listing, begun_ms, attempt, attempted_ms, protected"
GET_INTENTS = f"SELECT {_INTENT} FROM intents WHERE account = :account ORDER BY begun_ms, agent"  # noqa: S608  # same
GET_INTENT = f"SELECT {_INTENT} FROM intents WHERE account = :account AND nonce = :nonce"  # noqa: S608  # the same
GET_INTENT_OF = f"SELECT {_INTENT} FROM intents WHERE account = :account AND agent = :agent"  # noqa: S608  # the same
OPEN_INTENT = """
    INSERT INTO intents (account, nonce, agent, name, avatar, listing, begun_ms, attempt, attempted_ms, protected)
    VALUES (:account, :nonce, :agent, :name, :avatar, :listing, :begun_ms, :attempt, :attempted_ms, :protected)"""
REATTEMPT = """
    UPDATE intents SET attempt = attempt + 1, attempted_ms = :attempted_ms
    WHERE account = :account AND nonce = :nonce"""
DOUBT = "UPDATE intents SET attempted_ms = :attempted_ms WHERE account = :account AND nonce = :nonce"
CLOSE_INTENT = "DELETE FROM intents WHERE account = :account AND nonce = :nonce"

GET_LISTINGS = """
    SELECT digest, ids FROM listings
    WHERE digest IN (SELECT listing FROM intents WHERE account = :account)"""
KEEP_LISTING = "INSERT INTO listings (digest, ids) VALUES (:digest, :ids) ON CONFLICT (digest) DO NOTHING"
DROP_LISTING = """
    DELETE FROM listings
    WHERE digest = :digest AND NOT EXISTS (SELECT 1 FROM intents WHERE listing = :digest)"""

GET_RETIRED = """
    SELECT profile_id, agent, name, since_ms, why FROM retired
    WHERE account = :account ORDER BY since_ms, profile_id"""
RETIRE = """
    INSERT INTO retired (account, profile_id, agent, name, since_ms, why)
    VALUES (:account, :profile_id, :agent, :name, :since_ms, :why)"""
UNRETIRE = "DELETE FROM retired WHERE account = :account AND profile_id = :profile_id"

GET_OWNER = """
    SELECT agent, name, 'bound' FROM bindings WHERE account = :account AND profile_id = :profile_id
    UNION ALL
    SELECT agent, name, 'retired' FROM retired WHERE account = :account AND profile_id = :profile_id"""

GET_HEAD = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1"
GET_RECORDS = """
    SELECT seq, prev_hash, hash, text FROM audit WHERE seq > :after ORDER BY seq LIMIT :limit"""
GET_RECORDS_BACKWARDS = """
    SELECT seq, prev_hash, hash, text FROM audit WHERE seq < :before ORDER BY seq DESC LIMIT :limit"""
ADD_RECORD = "INSERT INTO audit (seq, prev_hash, hash, text) VALUES (:seq, :prev_hash, :hash, :text)"

GET_DISPATCH = """
    SELECT key, nonce, agent, recipient_id, fingerprint, profile_id, begun_ms, event_id, confirmed FROM dispatches
    WHERE account = :account AND key = :key"""
PROMISE = """
    INSERT INTO dispatches (account, key, nonce, agent, recipient_id, fingerprint, profile_id, begun_ms, event_id,
        confirmed)
    VALUES (:account, :key, :nonce, :agent, :recipient_id, :fingerprint, :profile_id, :begun_ms, NULL, 0)
    ON CONFLICT (account, key) DO NOTHING
    RETURNING key"""
OVERWRITE = """
    UPDATE dispatches SET nonce = :nonce, agent = :agent, recipient_id = :recipient_id, fingerprint = :fingerprint,
        profile_id = :profile_id, begun_ms = :begun_ms, event_id = NULL, confirmed = 0
    WHERE account = :account AND key = :key AND nonce = :former AND event_id IS NOT NULL
    RETURNING key"""
CONCLUDE = """
    UPDATE dispatches SET event_id = :event_id, confirmed = :confirmed
    WHERE account = :account AND key = :key AND nonce = :nonce"""
TAKE_BACK = "DELETE FROM dispatches WHERE account = :account AND key = :key AND nonce = :nonce AND event_id IS NULL"
DELIVER = "INSERT INTO deliveries (account, event_id) VALUES (:account, :event_id) ON CONFLICT DO NOTHING"
GET_DELIVERY = "SELECT event_id FROM deliveries WHERE account = :account AND event_id = :event_id"

GET_SIGHTING = "SELECT seen_ms FROM sightings WHERE account = :account AND profile_id = :profile_id"
SEE = """
    INSERT INTO sightings (account, profile_id, seen_ms) VALUES (:account, :profile_id, :seen_ms)
    ON CONFLICT (account, profile_id) DO UPDATE SET seen_ms = :seen_ms"""
FORGET_SIGHTING = "DELETE FROM sightings WHERE account = :account AND profile_id = :profile_id"

GET_BLOCKED = "SELECT agent FROM blocked WHERE account = :account"
BLOCK = "INSERT INTO blocked (account, agent) VALUES (:account, :agent) ON CONFLICT DO NOTHING"
UNBLOCK = "DELETE FROM blocked WHERE account = :account AND agent = :agent"
