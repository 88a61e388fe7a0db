"""X's real limits, met by the real command line on a clock that nobody waits for."""

from __future__ import annotations

import json
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from profilectl.ledger.address import parse_place
from profilectl.sandbox.model.rate_limits import DAY, QUARTER_HOUR, Limits, Quotas
from tests.resilience.desired import picture
from tests.resilience.record import Call, Record
from tests.resilience.stage import START, Stage, Trouble

MEMORY = Path("/dev/shm")  # for thousands of durable writes: how long a disk takes isn't the question here
JOBS = 8  # by default
SMALL = Limits().replace(upload=1000, create=100)  # X's figures, with a day that is soon used up
ALONE = ("--jobs", "1")  # nobody's call is under way when the clock jumps
PATIENT = ("--max-wait", "30m", "--timeout", "3600")  # enough for X's limit on uploads, not for a day


class Tally(Record):
    """Counts the calls, remembers the creates that X made, in their order, and how often X wanted us to wait."""

    refusals = 0  # since the beginning

    @contextmanager
    def told(self, call: Call):
        self.calls[call.moment.split(" ", 1)[0]] += 1
        answers = []
        yield answers
        self.refusals += answers[0].status_code == 429
        if call.name and answers[0].is_success:
            self.made.append(call.name)

    @contextmanager
    def applying(self, _call: Call):
        yield

    def begin(self) -> None:
        self.calls.clear()
        self.made = []


class Desk(Stage):
    """A brand at X, the roster of who looks after it, and what the last command said."""

    capsys: pytest.CaptureFixture[str]
    home = "state"

    def environ(self) -> dict[str, str]:
        return super().environ() | {"XDG_STATE_HOME": str(self.folder / self.home)}

    def __post_init__(self) -> None:
        super().__post_init__()
        self.record = Tally(self.world, self.ledger_place)
        (self.folder / "face.png").write_bytes(picture((20, 120, 200)))

    def hire(self, count: int, *, renamed: int = 0, policy: str = "") -> None:
        """Write a roster of agents a00000, a00001 …, the first of them under another name than before."""
        text = f'version = 1\n[brands.acme]\nhandle = "acmecare"\n[policy]\n{policy}\n'
        text += '[defaults]\nkind = "human"\navatar = "face.png"\n'
        self.names = [f"Agent {number}" + (" Anew" if number < renamed else "") for number in range(count)]
        for number, name in enumerate(self.names):
            text += f'[agents.a{number:05}]\nname = "{name}"\n'
        self.write_roster(text)

    def does(self, *words: str) -> tuple[int | None, str, list[str]]:
        """Run a command; return its exit code, its result and the lines of its talk."""
        self.capsys.readouterr()
        code = self.run(*words)
        said = self.capsys.readouterr()
        late = [one for one in self.record.violations if one.startswith("took")]  # --timeout may allow more here
        assert late == self.record.violations
        return code, said.out, said.err.splitlines()

    def sync(self, *words: str) -> tuple[int | None, str, list[str]]:
        return self.does("sync", "--yes", *words)

    def live(self) -> int:
        return sum(one.is_live for one in self.world.profiles.all(self.brand.user_id))

    def passed(self) -> float:
        """Return the seconds since the beginning."""
        return self.hours.now - START

    def destroy_at_x(self, agent: str) -> None:
        """Let an agent's profile disappear, as another tool would."""
        binding = self.state_of().binding(agent)
        self.world.profiles.destroy(self.brand.user_id, binding.profile_id)


@pytest.fixture
def desk(request, tmp_path, monkeypatch, capsys):
    """A desk without a roster yet, in a land without summer time; X has its own limits, or the test's."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else tmp_path)
    one = Desk(Path(folder.name))
    one.capsys = capsys
    one.world.quotas = Quotas(one.world.store, getattr(request, "param", Limits()))
    yield one
    one.close()
    folder.cleanup()
    monkeypatch.undo()
    time.tzset()


def said_once(lines: list[str]) -> str:
    """Return the only line that isn't about waiting."""
    [line] = [line for line in lines if not line.startswith("waiting")]
    return line


def test_a_thousand_a_day(desk):
    """1,400 agents: 500 at once, 500 a quarter of an hour later, the rest on the next day; then nothing is left."""
    desk.hire(1400)
    _, shown, forecast = desk.does("diff")
    first = desk.sync()
    first_calls = desk.record.calls.copy()
    desk.hours.pass_by(QUARTER_HOUR)
    code, document, talk = desk.sync("--json", "-q")
    second_calls = desk.record.calls.copy()
    second = json.loads(document)
    _, document, _ = desk.does("diff", "--json")
    desk.hours.pass_by(DAY - QUARTER_HOUR)
    third = desk.sync()

    assert 1400 == len(shown.splitlines())
    assert (
        "acme: 1,400 creates planned; X allows 1,000 a day: this run makes 1,000, the rest after 17:47 tomorrow"
    ) == forecast[-2]
    assert (
        "acme: X takes 500 pictures in 15 minutes, so 1,000 creates take about 15 minutes: "
        "sync needs --max-wait 15m --timeout 1500, or several runs"
    ) == forecast[-1]
    assert (75, 1400) == (first[0], len(first[1].splitlines()))
    assert (
        "500 done, 900 left: X allows 500 pictures in 15 minutes, and the ledger counts 500; "
        "run the same command again after 18:03 (in 15 min)"
    ) == "\n".join(first[2])
    assert (500, 500) == (first_calls["create"], first_calls["upload"])
    assert (75, 500, 400) == (code, second["summary"]["done"], second["summary"]["skipped"])
    assert "2030-03-18T17:46" == second["retry_at"][:16]  # X takes pictures earlier, but no create
    assert "run the same command again after 17:47 tomorrow (in 24 h)" in said_once(talk)
    assert (500, 500) == (second_calls["create"], second_calls["upload"])
    [budget] = json.loads(document)["budget"]
    assert {"planned": 400, "used": 1000, "allowed": 0, "now": 0, "rest": 400} == {
        name: number for name, number in budget["creates"].items() if name != "again_at"
    }
    assert second["retry_at"] == budget["creates"]["again_at"]
    assert (0, ["400 done"]) == (third[0], [line.partition(" at ")[0] for line in third[2]])
    assert (0, "", 1400) == (*desk.does("diff", "--exit-code")[:2], desk.live())


@pytest.mark.parametrize("desk", [SMALL], indirect=True)
def test_repairs_before_replacements_before_newcomers(desk):
    """Whoever should be live and isn't comes first, then the changed ones, then the new ones; each in roster order."""
    desk.hire(20, policy='retire_after = "30d"')
    assert 0 == desk.sync()[0]
    for number in (3, 7):
        desk.destroy_at_x(f"a{number:05}")
    desk.hours.pass_by(DAY)
    desk.hire(130, renamed=15, policy='retire_after = "30d"')
    code, _, talk = desk.sync("--jobs", "1")
    first = desk.record.made
    desk.hours.pass_by(DAY)
    again = desk.sync("--jobs", "1")

    repairs = [3, 7]
    replacements = [number for number in range(15) if number not in repairs]
    newcomers = list(range(20, 130))
    order = [desk.names[number] for number in (*repairs, *replacements, *newcomers)]
    assert (75, order[:100]) == (code, first)
    assert "100 done, 25 left: creating the profile: X's limit for this call is reached" in said_once(talk)
    assert (0, order[100:]) == (again[0], desk.record.made)


@pytest.mark.parametrize("desk", [SMALL], indirect=True)
def test_nothing_is_uploaded_once_x_said_no(desk):
    """After X's first no to a create the uploads that were under way or waited for theirs are lost, and no others."""
    desk.hire(180)
    code, _, talk = desk.sync()

    assert (75, 100) == (code, desk.live())
    assert desk.record.calls["upload"] <= 100 + 2 * JOBS
    assert desk.record.calls["create"] <= 100 + JOBS
    assert "100 done, 80 left: creating the profile:" in said_once(talk)
    assert () == desk.state_of().intents


@pytest.mark.parametrize("desk", [Limits().replace(upload=50, create=1000)], indirect=True)
def test_waits_are_announced(desk):
    """Every wait for X is told with its length before it begins, and the run ends well."""
    desk.hire(120)
    code, _, talk = desk.sync(*ALONE, "--max-wait", "30m", "--timeout", "3600")

    waits = [int(line.split()[1]) for line in talk if line.startswith("waiting")]
    assert (0, "120 done", 120) == (code, said_once(talk).partition(" at ")[0], desk.live())
    assert [True, True] == [880 < seconds < 900 for seconds in waits]
    assert desk.passed() < 2 * QUARTER_HOUR + 60


@pytest.mark.parametrize("desk", [Limits().replace(upload=50, create=1000)], indirect=True)
@pytest.mark.parametrize(
    ("bounds", "done"),
    [
        (("--max-wait", "14m", "--timeout", "3600"), 50),
        (("--max-wait", "30m", "--timeout", "800"), 50),
        (("--max-wait", "20m", "--timeout", "3600"), 100),  # the second wait would be too much
        (("--max-wait", "60m", "--timeout", "1200"), 100),
    ],
)
def test_waits_are_bounded(desk, bounds, done):
    """The waits of a run stay within --max-wait in all, and none is begun that would end after --timeout."""
    desk.hire(120)
    code, _, talk = desk.sync(*ALONE, *bounds)

    assert (75, done) == (code, desk.live())
    assert done // 50 - 1 == sum(line.startswith("waiting") for line in talk)
    assert f"{done} done, {120 - done} left: uploading the picture" in said_once(talk)
    assert desk.passed() <= float(bounds[3])


@pytest.mark.parametrize("desk", [Limits().replace(destroy=15)], indirect=True)
def test_destroys_have_a_day_of_their_own(desk):
    """Over the limit on destroys the retired ones stay retired, nobody else is unbound, and the next day ends it."""
    desk.hire(40)
    assert 0 == desk.sync()[0]
    desk.hire(15)
    code, _, talk = desk.sync("--allow-deletes", "25")
    live = desk.live()
    held = desk.state_of()
    desk.hours.pass_by(DAY)
    again = desk.sync("--allow-deletes", "25")

    assert (75, 25) == (code, live)
    assert "15 done, 10 left: destroying profile " in said_once(talk)
    assert (24, 1) == (len(held.bindings), len(held.retired))
    assert (0, 15, 0) == (again[0], desk.live(), len(desk.state_of().retired))


@pytest.mark.parametrize("desk", [SMALL], indirect=True)
def test_a_killed_run_loses_nothing_of_the_day(desk):
    """Killed in the middle of its creates and limited later: every agent gets one profile, and no run makes two."""
    desk.hire(150)
    desk.troubles = [Trouble(lambda moment: moment == "create Agent 60", lambda stage, *_: stage.die())]
    killed = desk.run("sync", "--yes")
    desk.troubles = []
    codes = []
    for _ in range(2):
        desk.hours.pass_by(60)
        codes.append(desk.sync(*PATIENT)[0])
        desk.hours.pass_by(DAY)
    made = [one.name for one in desk.world.profiles.all(desk.brand.user_id)]

    assert (None, [75, 0]) == (killed, codes)
    assert 150 == len(made) == len(set(made))
    assert 0 == desk.does("diff", "--exit-code")[0]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_three_machines_share_the_day_and_the_windows(desk, kind, request):
    """Three cron hosts with one ledger, one of them killed at work: X never has to say no, and a day later all is done.

    Each runs every quarter of an hour, five minutes after the one before.
    """
    if kind == "postgres":
        postgres = request.getfixturevalue("postgres")
        desk.database = parse_place(postgres.address(database=postgres.fresh_database()))
    desk.hire(1200)
    sent = []  # (X's time, uploads, creates) of each run
    talks = []
    for number in range(12):
        desk.home = f"host {number % 3}"
        is_dying = number == 3
        desk.troubles = [Trouble(lambda moment: moment.startswith("create"), lambda *_: desk.die())] * is_dying
        talks.append(desk.sync()[2])
        sent.append((desk.passed(), desk.record.calls["upload"], desk.record.calls["create"]))
        desk.hours.pass_by(QUARTER_HOUR / 3)
    evening = desk.live()
    desk.hours.pass_by(DAY - desk.passed() + QUARTER_HOUR)
    again = desk.sync()
    desk.hours.pass_by(QUARTER_HOUR)
    rest = desk.sync()

    assert 0 == desk.record.refusals
    assert 1000 - JOBS <= evening <= 1000
    windows = [sum(uploads for at, uploads, _ in sent if end - QUARTER_HOUR < at <= end) for end, *_ in sent]
    assert max(windows) <= 500 + JOBS  # of the killed run's pictures some never came to an intent
    assert any("X allows 1,000 creates in 24 hours, and the ledger counts 1,000" in line for line in talks[-1])
    assert (0, 0) == (sent[-1][1], sent[-1][2])
    assert (0, 1200) == (again[0] or rest[0], desk.live())


def test_a_machine_alone_waits_out_a_window(desk):
    """With X's real limit on pictures a run that may wait a quarter of an hour makes 700, and X never says no."""
    desk.hire(700)
    code, _, talk = desk.sync("--max-wait", "15m", "--timeout", "1500")

    assert (0, 700, 0) == (code, desk.live(), desk.record.refusals)
    assert ["waiting", "700 done"] == [line.partition(" at ")[0].partition(" 8")[0] for line in talk]
