"""The agents of a roster: their layers are merged, and their names judged as customers would see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from profilectl.model import Agent, Brand, Kind, Policy
from profilectl.roster import name_templates
from profilectl.roster.brands import UNSPECIFIED, Membership, read_membership
from profilectl.roster.checks.lookalikes import Lookalikes
from profilectl.roster.consent import drawn_picture
from profilectl.roster.disclosure import Disclosure, markers_for
from profilectl.roster.schema import AGENT, MOST_AGENTS
from profilectl.roster.unknown_keys import read_table
from profilectl.text.confusables import mixed_scripts
from profilectl.text.escape import excerpt, visible
from profilectl.text.names import LONGEST_SPELLED, name_problems, normalise
from profilectl.text.word_matching import Phrase, Words
from profilectl.toml.paths import Path
from profilectl.toml.problems import ProblemList
from profilectl.toml.rules import check_key, shown

# In place of brands that were refused, so that the rest of their agents is judged all the same.
_NO_BRAND = Brand("", "", language="")
_OPTIONAL = frozenset(
    {"operators", "first", "last", "legal_name", "title", "until", "protected", "surname_is", "consent"}
    | {"starts", "labels"}
)


class Layer(Struct, frozen=True):
    """One table that says something about an agent."""

    path: Path
    values: Mapping[str, Any]  # None: refused


class Entry(Struct, frozen=True):
    """One agent in one brand."""

    path: Path  # of the agent's own table
    key: str
    brand: Brand
    layers: tuple[Layer, ...]  # the winning one last
    values: Mapping[str, Any]  # of all layers together

    def source(self, field: str) -> Path:
        """Return where the winning value stands, or where it is missing: in the agent's own table."""
        layers = (layer for layer in reversed(self.layers) if field in layer.values)
        return (*next(layers, self).path, field)

    def labels(self) -> tuple[tuple[str, str], ...]:
        """Return the labels of all layers together, a later layer's value in the place of an earlier one's."""
        if "labels" not in self.values:
            return ()
        merged: dict[str, str] = {}
        for layer in self.layers:
            merged.update(layer.values.get("labels") or {})
        return tuple(sorted(merged.items()))


class AgentReader:
    """Reads ``[defaults]`` and ``[agents]``, and notes what is wrong in `problems`."""

    def __init__(
        self, roots: Mapping[str, Any], brands: Mapping[str, Brand], policy: Policy, problems: ProblemList
    ) -> None:
        self._brands = brands
        self._policy = policy
        self._problems = problems
        self._tables = roots.get("agents")
        self._is_missing = "agents" not in roots
        self._defaults = Layer(("defaults",), read_table(roots.get("defaults") or {}, AGENT, ("defaults",), problems))
        self._default_membership = self._membership(self._defaults)
        self._default_brands = UNSPECIFIED.brands(self._default_membership, brands)
        self._rules: dict[str, Disclosure] = {}
        self._lookalikes = Lookalikes(brands.values(), policy.impersonation)
        self._waived = {(waiver.rule, waiver.agent) for waiver in policy.waivers}
        self.faulty: list[Agent] = []  # with errors; of those only key, brand and picture are known
        self._judge_default_pattern()

    def agents(self, lines: Mapping[str, int]) -> tuple[Agent, ...]:
        """Return one agent per entry and brand, in file order, without those that have errors.

        `lines` are those of the agents' headers, by key; an agent that isn't in it gets line 0.
        """
        # None is a refused value, which has its own problem already.
        if not self._tables and (self._is_missing or self._tables is not None):
            self._problems.error(
                ("agents",), "no agent; a roster without agents is refused: it would remove everybody", "no-agent"
            )
        agents = (self._agent(entry, lines.get(entry.key, 0)) for entry in self._entries())
        return tuple(agent for agent in agents if agent is not None)

    def entries_of(self, key: str) -> tuple[Entry, ...]:
        """Return one entry for each brand of the agent with that key; none where the roster has no such table."""
        table = (self._tables or {}).get(key)
        if type(table) is not dict:
            return ()
        path: Path = ("agents", key)
        own = Layer(path, read_table(table, AGENT, path, self._problems))
        return tuple(entry for entry in self._entries_of(key, own) if entry.brand.key)

    def _entries(self) -> Iterator[Entry]:
        count = 0
        for key, table in (self._tables or {}).items():
            path: Path = ("agents", key)
            check_key(path, self._problems)
            if type(table) is dict:
                for entry in self._entries_of(key, Layer(path, read_table(table, AGENT, path, self._problems))):
                    count += 1
                    if count > MOST_AGENTS:
                        message = f"more than {MOST_AGENTS} agents, each counted once for each of its brands"
                        self._problems.stop(("agents",), message)
                    yield entry
            else:
                self._problems.error(path, f"expected a table such as [agents.alice], got {shown(table)}")

    def _entries_of(self, key: str, own: Layer) -> Iterator[Entry]:
        brands, membership = self._default_brands, UNSPECIFIED
        if "brands" in own.values:
            membership = self._membership(own)
            brands = membership.brands(self._default_membership, self._brands)
        if not brands and self._brands and membership.listed is None:
            self._problems.error(own.path, "belongs to no brand", "brands")
        for brand in brands:
            usual = _layers(self._defaults, brand, self._default_membership)
            yield _entry(key, own, self._brands[brand], (*usual, *_layers(own, brand, membership)))
        if not brands:
            yield _entry(key, own, _NO_BRAND, (self._defaults, own))

    def _membership(self, layer: Layer) -> Membership:
        if "brands" not in layer.values:
            return UNSPECIFIED
        return read_membership(layer.values["brands"], (*layer.path, "brands"), self._brands, self._problems)

    def _agent(self, entry: Entry, line: int) -> Agent | None:
        """Return the agent, or None when something it can't be without is missing or refused."""
        avatar = self._avatar(entry)
        self._require(entry, "kind", 'missing; say who speaks, "human" or "bot", here or in [defaults]')
        name = self._name(entry)
        kind = entry.values.get("kind")
        if name is None or kind is None:
            if avatar:
                self.faulty.append(Agent(entry.key, entry.brand.key, "", avatar, kind or Kind.BOT, line=line))
            return None
        # Before the avatar counts, so that one run of the check brings out everything that is wrong with the name.
        self._judge_surname(entry, name, kind)
        self._judge_disclosure(entry, name, kind)
        if avatar is None:
            return None
        avatar = avatar or drawn_picture(entry.key, name)
        self._judge_days(entry)
        values = {**entry.values, "starts": entry.values.get("from"), "labels": entry.labels()}
        optional = {field: value for field, value in values.items() if field in _OPTIONAL and value is not None}
        agent = Agent(entry.key, entry.brand.key, name, avatar, kind, **optional, line=line)
        self._judge_looks(entry, agent)
        return agent

    def _avatar(self, entry: Entry) -> str | None:
        """Return the picture's path, None after noting that there is none, "" where none is to be shown."""
        consent = entry.values.get("consent")
        is_bot = entry.values.get("kind") is Kind.BOT  # who needs no consent, and a picture as ever
        if consent is not None and not consent.photo and self._policy.consent != "off" and not is_bot:
            return str(entry.values.get("avatar") or "")
        self._require(entry, "avatar", "missing; name a picture, here or in [defaults]")
        avatar: str | None = entry.values.get("avatar")
        return avatar

    def _require(self, entry: Entry, field: str, message: str) -> bool:
        if field not in entry.values:
            self._problems.error((*entry.path, field), message, "missing")
        return field in entry.values

    def _name(self, entry: Entry) -> str | None:
        """Return the public name in NFC, its pattern filled in, or None after noting what is wrong with it."""
        if not self._require(entry, "name", "missing; it is what customers read"):
            return None
        name = entry.values["name"]
        if name is not None and name_templates.is_pattern(name):
            name = self._filled(entry, name)
        if name is None:
            return None
        wrong, rule = name_problems(name), "name"
        legal_name = entry.values.get("legal_name")
        # A name too long to be one isn't searched: that would take as long as all the rest.
        is_name = len(name) <= LONGEST_SPELLED
        if is_name and legal_name is not None and Phrase(legal_name, within=2).found_in(Words(name)):
            # In place of the other problems, whose messages may quote the name.
            wrong, rule = ("contains the legal name, which must never leave the machine",), "legal-name"
        for message in wrong:
            self._problems.error(self._name_path(entry), message, rule)
        return None if wrong else normalise(name)

    def _filled(self, entry: Entry, pattern: str) -> str | None:
        wrong = name_templates.pattern_problems(pattern)
        for message in wrong:
            self._problems.error(entry.source("name"), message, "name-pattern")
        if wrong:
            return None
        lacking = sorted(field for field in name_templates.needs(pattern) if entry.values.get(field) is None)
        for field in lacking:
            self._require(entry, field, f'missing, but the name pattern "{excerpt(pattern)}" needs it')
        if lacking:
            return None
        for field in sorted(unlettered := name_templates.without_initial(pattern, entry.values)):
            message = f'has no letter, but the name pattern "{excerpt(pattern)}" takes an initial from it'
            self._problems.error(entry.source(field), message, "name-pattern")
        return None if unlettered else name_templates.fill(pattern, entry.values)

    def _name_path(self, entry: Entry) -> Path:
        # At the agent, even when its pattern is a default: what is wrong is this agent's name.
        source = entry.source("name")
        return source if source[0] == "agents" else (*entry.path, "name")

    def _judge_default_pattern(self) -> None:
        # Even when every agent has a name of its own: the next one may not.
        pattern = self._defaults.values.get("name") or ""
        for message in name_templates.pattern_problems(pattern) if name_templates.is_pattern(pattern) else ():
            self._problems.error(("defaults", "name"), message, "name-pattern")

    def _judge_days(self, entry: Entry) -> None:
        first, last = entry.values.get("from"), entry.values.get("until")
        if first is not None and last is not None and first > last:
            self._problems.error(entry.source("from"), f"after the last day, {last.isoformat()}", "dates")

    def _judge_disclosure(self, entry: Entry, name: str, kind: Kind) -> None:
        language = entry.brand.language
        markers = markers_for(language, self._policy.bot_markers)
        if not markers:
            return  # the parser says so once, at the brand
        if language not in self._rules:
            self._rules[language] = Disclosure(language, markers)
        message = self._rules[language].problem(name, kind, entry.values.get("surname_is"))
        if message:
            report = self._problems.error if self._policy.disclosure == "enforce" else self._problems.warning
            report(self._name_path(entry), message, "disclosure")

    def _judge_surname(self, entry: Entry, name: str, kind: Kind) -> None:
        surname = entry.values.get("surname_is")
        if surname is None:
            return
        row, own = Words(name).row, Words(surname).row
        message = 'is for people, and the kind is "bot"' if kind is Kind.BOT else None
        if own not in row or not own.strip():
            message = message or f'the name has no word "{visible(surname)}"'
        elif own == row:  # it would be all that customers read
            message = message or "isn't the whole of a name: add the given name"
        if message:
            self._problems.error((*entry.path, "surname_is"), message, "disclosure")

    def _judge_looks(self, entry: Entry, agent: Agent) -> None:
        # A warning only: two people may have one name, and a brand may write two scripts.
        message = mixed_scripts(agent.name)
        if message:
            self._problems.warning(self._name_path(entry), message, "mixed-scripts")
        for message in self._lookalikes.resembling(agent):
            self._problems.warning(self._name_path(entry), message, "lookalike")
        protected = self._lookalikes.impersonated(agent.name)
        if protected is not None:
            is_waived = ("impersonation", agent.key) in self._waived
            report = self._problems.warning if is_waived else self._problems.error
            report(self._name_path(entry), f'resembles "{visible(protected)}", whom nobody here may', "impersonation")


def _entry(key: str, own: Layer, brand: Brand, layers: tuple[Layer, ...]) -> Entry:
    values: dict[str, Any] = {}  # merged once, because every agent is asked for a dozen fields
    for layer in layers:
        values.update(layer.values)
    return Entry(own.path, key, brand, layers, values)


def _layers(layer: Layer, brand: str, membership: Membership) -> tuple[Layer, ...]:
    if brand not in membership.differences:
        return (layer,)
    return layer, Layer((*layer.path, "brands", brand), membership.differences[brand])
