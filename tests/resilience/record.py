"""What really happened at X, call by call, and what may never happen there, noticed at once."""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from profilectl.ledger.opening import open_for_reading
from tests.resilience import lying_cells

if TYPE_CHECKING:
    from pathlib import Path

    from profilectl.ledger.address import PostgresAddress
    from profilectl.sandbox.model.world import World

ACCOUNT = "4242"
_READING = ("verify", "list 1", "list n", "list again", "list more", "user", "face", "messages")
NAMES = {  # every public name that an agent has on this stage; nobody else bears one of them
    "anna": {"Anna"},
    "alice": {"Alice", "Alice Anew", "Alice Again"},
    "bruno": {"Bruno"},
    "dora": {"Dora", "Dorothea"},
    "emil": {"Emil"},
    "fay": {"Fay", "Fay Before"},
    "hugo": {"Hugo"},
    "ina": {"Ina"},
}
LEAVING = "emil"  # who isn't wanted any more
TO_BE_MADE = {"alice": "Alice Anew", "dora": "Dora", "hugo": "Hugo"}
SENT_AS = {  # names as X keeps them, and as they were sent
    name + shown: name + sent for name in TO_BE_MADE.values() for _, sent, shown in lying_cells.NAMES.values()
}
for _agent, _name in TO_BE_MADE.items():
    NAMES[_agent] |= {_name + suffix for _, suffix, _ in lying_cells.NAMES.values()}
AGENT_OF = {name: agent for agent, names in NAMES.items() for name in names}


@dataclass
class Call:
    """One request: which moment of a run it is, and whom it is about."""

    moment: str
    name: str = ""  # of the profile that is to be made


@dataclass
class Record:
    """The calls of a run, and the promises that all runs broke."""

    world: World
    ledger_place: Path | PostgresAddress
    calls: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    unsettled: set[str] = field(default_factory=set)  # agents with a create that no complete list has followed
    faceless: set[str] = field(default_factory=set)  # agents whose create failed in this run, or may have
    strangers: set[str] = field(default_factory=set)  # ids of those who bear an agent's name
    last_entries: list[Any] = field(default_factory=list)  # of the page of the list before

    def begin(self) -> None:
        """Count the calls of one run from here."""
        self.calls.clear()
        self.faceless.clear()

    def recognise(self, request: httpx.Request) -> Call:
        path, query = request.url.path, request.url.params
        if path.endswith("custom_profiles/list.json"):
            again = any(moment.startswith("create") for moment in self.calls)
            first, later = ("list again", "list more") if again else ("list 1", "list n")
            return Call(later if "cursor" in query else first)
        if path.endswith("custom_profiles/new.json"):
            name = json.loads(request.read())["custom_profile"]["name"]
            return Call(f"create {name}", name)
        if path.endswith("custom_profiles/destroy.json"):
            profile = self.world.profiles.find(query["id"])
            return Call(f"destroy {SENT_AS.get(profile.name, profile.name) if profile else '?'}")
        ends = {
            "verify_credentials.json": "verify",
            "upload": "upload",
            "events/new.json": "send",
            "events/list.json": "messages",
        }
        if re.search(r"custom_profiles/[0-9]+\.json$", path):
            return Call("face")
        return Call(next((moment for end, moment in ends.items() if path.endswith(end)), "user"))

    @contextmanager
    def told(self, call: Call):
        """Note what the program was told about a call: two creates for one agent need a complete list between them."""
        self.calls[call.moment] += 1
        agent = AGENT_OF.get(call.name)
        if agent in self.unsettled:
            self.violations.append(f"{agent}: a second create without a complete list in between")
        if self.faceless and call.moment.startswith("destroy"):
            self.violations.append(f"{call.moment} although nobody knows of a new face for {self.faceless}")
        answers: list[httpx.Response] = []
        surely_refused = False
        try:
            yield answers
            with suppress(httpx.ResponseNotRead):  # it is cut short later
                surely_refused = 400 <= answers[0].status_code < 500 and b'"errors"' in answers[0].content  # X's own no
        except (httpx.ConnectError, httpx.ConnectTimeout):
            surely_refused = True
            raise
        finally:
            if agent is not None:
                self._note_create(agent, is_made=bool(answers) and answers[0].is_success, is_refused=surely_refused)
        self._note_list(call, answers[0])

    def _note_create(self, agent: str, *, is_made: bool, is_refused: bool) -> None:
        if not is_refused:
            self.unsettled.add(agent)
        if is_made:
            self.faceless.discard(agent)
        else:
            self.faceless.add(agent)

    def _note_list(self, call: Call, answer: httpx.Response) -> None:
        arrived_whole = answer.is_closed and answer.status_code == 200 and answer.headers["content-type"] != "text/html"
        if not call.moment.startswith("list") or not arrived_whole:
            return
        document = json.loads(answer.content)
        self.last_entries = document.get("custom_profiles") or self.last_entries
        if not document.get("next_cursor"):
            self.faceless -= self.unsettled
            self.unsettled.clear()

    @contextmanager
    def applying(self, call: Call):
        """Compare the faces at X before and after a destroy: nobody who had one and still has a name may lack one."""
        if not call.moment.startswith("destroy"):
            yield
            return
        before = self.live()
        yield
        after = self.live()
        gone = before.keys() - after.keys()
        with open_for_reading(self.ledger_place) as ledger:
            ledger_state = ledger.state_of(ACCOUNT)
        bound = {binding.profile_id: binding.agent for binding in ledger_state.bindings}
        self.violations += [f"{bound[one]}: its bound profile {one} was destroyed" for one in gone & bound.keys()]
        self.violations += [f"the stranger {before[one]} was destroyed" for one in gone if before[one] not in AGENT_OF]
        faceless = {AGENT_OF.get(before[one]) for one in gone} - {AGENT_OF.get(name) for name in after.values()}
        self.violations += [f"{agent}: without any live profile" for agent in faceless - {None, LEAVING}]

    def live(self) -> dict[str, str]:
        """Return the names of all live profiles of the brand, as they were sent; a namesake's is told apart."""
        live = [one for one in self.world.profiles.all(ACCOUNT) if one.is_live]
        names = {one.id: SENT_AS.get(one.name, one.name) for one in live}
        return {
            profile_id: f"not {name}" if profile_id in self.strangers else name for profile_id, name in names.items()
        }

    def writes(self) -> int:
        """Return how many calls might have changed something at X."""
        return sum(count for moment, count in self.calls.items() if moment not in _READING)
