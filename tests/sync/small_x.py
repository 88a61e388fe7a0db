"""A small X that does what the test says, and one brand's syncs against it, as the command line wires them."""

from __future__ import annotations

import itertools
from datetime import date

from profilectl.errors import NotFound
from profilectl.model import Account, Agent, Brand, Kind, LocalTime, Picture, Policy, PreparedPicture, Profile, Roster
from profilectl.pictures.avatars import normalise
from profilectl.pictures.placeholders import initials_portrait
from profilectl.plan.builder import build
from profilectl.sync.apply import apply
from profilectl.sync.engine import observe, synchronise
from profilectl.sync.ports import BrandTarget, Stop

PICTURE = Picture("a.png", "sha256:aa", 1)
FACE = normalise(initials_portrait("Alice Adams", 48), "face")
PREPARED = {PICTURE.digest: PreparedPicture(FACE.content, FACE.media_type, PICTURE.digest, FACE.signature)}
OTHER_FACE = normalise(initials_portrait("Zoe Young", 48), "face").content
START = 1_800_000_000_000


class SmallX:
    """Profiles in a dictionary; `script` holds what happens to the next creates, before or after they are applied."""

    def __init__(self):
        self.profiles = {}
        self.calls = []
        self.ids = itertools.count(1)
        self.time_ms = START
        self.before = {}
        self.after = {}
        self.hidden = set()
        self.hidden_until = {}  # id: milliseconds after its creation
        self.slow = {}  # call: milliseconds that it takes
        self.pictures = {}  # url: what is served there, else the agents' picture
        self.boot = "a start"
        self.jump_ms = 0  # how far X's clock has jumped

    def now_ms(self):
        self.time_ms += 1
        return self.time_ms + self.jump_ms

    def local_time(self):
        return LocalTime(self.boot, self.time_ms - START)

    def list_profiles(self):
        self.calls.append("list")
        return tuple(one for one in self.profiles.values() if not self._is_hidden(one))

    def _is_hidden(self, one):
        return one.id in self.hidden or self.time_ms < one.created_ms + self.hidden_until.get(one.id, 0)

    def show_profile(self, profile_id):
        self.calls.append(f"show {profile_id}")
        self._raise(self.before, f"show {profile_id}")
        if profile_id not in self.profiles:
            raise NotFound("X has no such profile")
        return self.profiles[profile_id]

    def download(self, url):
        self.calls.append("download")
        self._raise(self.before, "download")
        return self.pictures.get(url, FACE.content)

    def upload(self, content, media_type):
        self.calls.append("upload")
        self.time_ms += self.slow.get("upload", 0)
        self._raise(self.before, "upload")
        return "77"

    def create_profile(self, name, media_id, leaves_by_ms=None):
        self.calls.append(f"create {name}")
        self._raise(self.before, name)
        number = str(next(self.ids))
        one = Profile(number, name, f"https://pbs.example/{number}", self.now_ms())
        self.profiles[one.id] = one
        self.time_ms += self.slow.get("create", 0)
        self._raise(self.after, name)
        return one

    def destroy_profile(self, profile_id):
        self.calls.append(f"destroy {profile_id}")
        self._raise(self.before, f"destroy {profile_id}")
        self.profiles.pop(profile_id, None)

    @staticmethod
    def _raise(script, key):
        if script.get(key):
            raise script[key].popleft()

    def live(self):
        return sorted(one.name for one in self.profiles.values())


class Run:
    """One brand's syncs, as the command line wires them."""

    def __init__(self, ledger, x):
        self.ledger = ledger
        self.x = x
        self.waits = []
        self.stop = Stop()
        self.may_wait = True
        ledger.register_account("acme", Account("1", "acmecare", "api.x.com"), START)

    def wait(self, seconds, why):
        if not self.may_wait:
            return False
        self.waits.append(seconds)
        self.x.time_ms += int(seconds * 1000)
        return True

    def sync(self, *agents, jobs=1, retire_after=900, settle_after=0, **options):
        wanted = Roster(
            (Brand("acme", "acmecare"),), agents, Policy(retire_after=retire_after, settle_after=settle_after)
        )

        def plan(brands=frozenset(), only=frozenset()):
            observation = self.observe(settle_after, self.wait)
            self.target = BrandTarget("1", self.x, observation)
            today = date(2027, 1, 1)
            return build(wanted, {"a.png": PICTURE}, [observation], today=today, only_agents=only, allow_deletes=99)

        def carry_out(changes):
            return apply(
                changes,
                {"acme": self.target},
                self.ledger,
                PREPARED,
                jobs=jobs,
                stop=self.stop,
                wait=self.wait,
                prune_at_once=retire_after == 0,
            )

        return list(synchronise(plan(), carry_out, plan, self.stop))

    def observe(self, settle_after=0, wait=None):
        return observe("acme", "1", self.x, self.ledger.state_of("1"), settle_after, wait)

    def state_of(self):
        return self.ledger.state_of("1")


def agent(key, name=None, **more):
    return Agent(key, "acme", name or key.title(), "a.png", Kind.HUMAN, **more)


def statuses(outcomes):
    return {outcome.change.agent: outcome.status.value for outcome in outcomes}
