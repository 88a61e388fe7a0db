"""A plan that was reviewed is the plan that runs, or nothing runs."""

from __future__ import annotations

import json
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from profilectl.cli.diff import check_place, save
from profilectl.cli.sync import read_plan
from profilectl.digests import digest_of
from profilectl.errors import InputRefused, ProfilectlError, UsageError
from profilectl.plan.builder import Plan
from profilectl.plan.fingerprint import Basis
from profilectl.plan.saved import Selection, to_document
from tests.resilience.desired import picture
from tests.resilience.stage import Stage, Trouble

TEAM = {"alice": "Alice", "bruno": "Bruno"}


class Office(Stage):
    """A brand at X and the roster of who looks after it; remembers the error that ended a command."""

    error: ProfilectlError | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for number, name in enumerate(("face", "bruno", "clara")):
            self.draw(name, (20, 60 * number, 200))

    def _run(self, words):
        self.error = None
        try:
            return super()._run(words)
        except ProfilectlError as error:
            self.error = error
            raise

    def draw(self, name, colour):
        (self.folder / f"{name}.png").write_bytes(picture(colour))

    def hire(self, names, *, policy='settle_after = "0s"', more=""):
        text = f'version = 1\n[brands.acme]\nhandle = "acmecare"\n[policy]\n{policy}\n'
        text += '[defaults]\nkind = "human"\navatar = "face.png"\n'
        for key, name in names.items():
            own = f'avatar = "{key}.png"\n' if (self.folder / f"{key}.png").exists() else ""
            text += f'[agents.{key}]\nname = "{name}"\n{own}'
        self.write_roster(text + more)

    @property
    def plan(self):
        return self.folder / "plan.json"

    def save(self, *words):
        assert self.run("diff", "--out", str(self.plan), *words) in {0, 5}, self.error

    def apply(self, *words):
        return self.run("sync", "--yes", "--plan", str(self.plan), *words)

    def add_stranger(self, name="Stranger"):
        media = self.world.media.add(self.brand.user_id, picture((7, 7, 7)))
        self.world.profiles.create(self.brand.user_id, name, media.id)

    def truth(self):
        """Return everything that X and the ledger hold."""
        ledger = []
        if self.ledger_place.exists():
            with closing(sqlite3.connect(self.ledger_place)) as database:
                ledger = list(database.iterdump())
        return [(one.id, one.name, one.is_live) for one in self.world.profiles.all(self.brand.user_id)], ledger

    def live(self):
        return sorted(one.name for one in self.world.profiles.all(self.brand.user_id) if one.is_live)


@pytest.fixture
def stage(tmp_path):
    """A desk whose two agents are live, on a clock that nobody waits for."""
    one = Office(tmp_path / "desk")
    one.hire(TEAM)
    assert 0 == one.run("sync", "--yes")
    yield one
    one.close()


def test_an_unmoved_plan_is_applied_exactly(stage, capsys):
    """What was saved is done, once: afterwards the same file is stale, for ledger and X have moved by it."""
    stage.hire({"alice": "Ally", "bruno": "Bruno", "clara": "Clara"})
    stage.save()
    reviewed = json.loads(stage.plan.read_text())
    capsys.readouterr()
    code = stage.apply("--json")
    done = json.loads(capsys.readouterr().out)

    assert (0, reviewed["digest"]) == (code, done["digest"])
    assert [(one["agent"], one["action"]) for one in reviewed["changes"]] == [
        (one["agent"], one["action"]) for one in done["results"]
    ]
    assert ["Alice", "Ally", "Bruno", "Clara"] == stage.live()  # Alice for her grace
    assert 5 == stage.apply()
    assert "nothing was changed: the ledger and X's profiles have changed" in stage.error.message


def test_a_plan_without_changes_can_be_applied_again_and_again(stage):
    """Nothing moves by it."""
    stage.save()

    assert [0, 0] == [stage.apply(), stage.apply()]


MOVES = {
    "the roster has changed": lambda stage: stage.hire(TEAM | {"alice": "Ally"}, more="# a word\n"),
    "1 picture has changed": lambda stage: stage.draw("bruno", (200, 0, 0)),
    "2 pictures have changed": lambda stage: [stage.draw(name, (200, 0, 0)) for name in ("bruno", "face")],
    "the ledger has changed": lambda stage: stage.run("profiles", "forget", "bruno", "--yes"),
    "X's profiles have changed": lambda stage: stage.add_stranger(),
    "the roster and 1 picture have changed": lambda stage: [
        stage.hire(TEAM | {"alice": "Ally"}, more="# a word\n"),
        stage.draw("bruno", (200, 0, 0)),
    ],
    "1 picture and X's profiles have changed": lambda stage: [stage.draw("bruno", (0, 9, 0)), stage.add_stranger()],
}


@pytest.mark.parametrize("said", MOVES)
def test_whatever_has_moved_is_named_and_nothing_is_written(stage, said):
    """Exit 5 before the first write at X or in the ledger."""
    stage.hire(TEAM | {"alice": "Ally"})
    stage.save()
    MOVES[said](stage)
    before = stage.truth()

    assert (5, before) == (stage.apply(), stage.truth())
    assert f"nothing was changed: {said} since {stage.plan} was made" == stage.error.message
    assert ("plan", True) == (stage.error.kind, "profilectl diff --out" in stage.error.hint)


def test_what_moves_in_the_last_moment_counts(stage):
    """X is read under the lock, and the plan that is compared is the one that would be applied."""
    stage.hire(TEAM | {"alice": "Ally"})
    stage.save()

    def intrude(stage, _request, proceed):
        stage.add_stranger()
        return proceed()

    stage.troubles = [Trouble(lambda moment: moment.startswith("list"), intrude)]

    assert (5, ["Alice", "Bruno", "Stranger"]) == (stage.apply(), stage.live())
    assert "X's profiles have changed" in stage.error.message


def test_time_alone_may_make_another_plan(stage):
    """A grace that ended means a destroy that nobody has reviewed."""
    policy = 'settle_after = "0s"\nretire_after = "10m"'
    stage.hire(TEAM | {"alice": "Ally"}, policy=policy)
    stage.run("sync", "--yes")
    stage.save()
    stage.hours.pass_by(601)
    before = stage.truth()

    assert (5, before) == (stage.apply(), stage.truth())
    assert "a retired profile's grace is over since" in stage.error.message


@pytest.mark.parametrize("chosen", [["--agent", "alice"], ["--brand", "acme"], ["--prune-now"]])
def test_the_choice_is_a_part_of_the_plan(stage, chosen):
    """Agents, brands and what was agreed to come from the file."""
    stage.hire({"alice": "Ally", "bruno": "Bruce"})
    stage.save(*chosen)
    expected = {"--agent": ["Alice", "Ally", "Bruno"], "--prune-now": ["Ally", "Bruce"]}

    assert 0 == stage.apply()
    assert expected.get(chosen[0], ["Alice", "Ally", "Bruce", "Bruno"]) == stage.live()


def test_a_refused_plan_can_be_saved_but_not_applied(stage):
    """Unless the agreement was saved with it."""
    stage.hire({"clara": "Clara"}, policy='settle_after = "0s"\nmax_deletes = 1')
    stage.save()
    refused = stage.apply(), stage.error.kind, "diff --allow-deletes 2 --out" in stage.error.hint
    stage.save("--allow-deletes", "2")

    assert ((5, "guard", True), 0, ["Clara"]) == (refused, stage.apply(), stage.live())


def test_an_agent_who_is_gone_from_everywhere_makes_it_stale(stage):
    """That is no slip of who typed the command, so it isn't a usage error."""
    stage.hire(TEAM | {"clara": "Clara"})
    stage.save("--agent", "clara")
    stage.hire(TEAM)

    assert (5, True) == (stage.apply(), "the roster" in stage.error.message)


def test_a_brand_that_left_the_roster_makes_it_stale(stage):
    """So does a brand that nobody knows any more."""
    stage.save()
    stage.write_roster(Path(stage.folder / "roster.toml").read_text().replace("brands.acme", "brands.other"))

    assert (5, "plan") == (stage.apply(), stage.error.kind)
    assert "the roster has changed" in stage.error.message


@pytest.mark.parametrize(
    "more", [["--agent", "alice"], ["--brand", "acme"], ["--allow-deletes", "0"], ["--prune-now"], ["--expect", "x"]]
)
def test_options_that_the_plan_answers_are_refused_beside_it(stage, more):
    """A usage error."""
    stage.save()

    assert (2, "usage") == (stage.apply(*more), stage.error.kind)


def test_sync_asks_or_needs_a_yes_all_the_same(stage):
    """A review isn't an agreement."""
    stage.save()

    assert 2 == stage.run("sync", "--plan", str(stage.plan))


def test_a_digest_is_enough_to_hold_a_sync_to_it(stage, capsys):
    """`diff` shows it, `sync --expect` does that plan; another one is refused with the digest of now."""
    stage.hire(TEAM | {"alice": "Ally"})
    capsys.readouterr()
    stage.run("diff")
    digest = capsys.readouterr().err.splitlines()[1].removeprefix("plan ")
    stage.hire(TEAM | {"alice": "Alison"})
    before = stage.truth()

    assert (5, before) == (stage.run("sync", "--yes", "--expect", digest), stage.truth())
    now = stage.error.message.rpartition(" ")[2]
    assert (True, digest in stage.error.message, 0) == (
        now != digest,
        True,
        stage.run("sync", "--yes", "--expect", now),
    )
    assert ["Alice", "Alison", "Bruno"] == stage.live()


def test_quiet_shows_no_digest(stage, capsys):
    """As no other summary."""
    stage.run("diff", "--quiet")

    assert "sha256" not in capsys.readouterr().err


def damaged(**changes):
    """Return a change to a document that nobody sealed again."""
    return lambda document: document | changes


def forged(change):
    """Return a change to a document that seals itself again."""

    def forge(document):
        document = {name: value for name, value in change(document).items() if name != "checksum"}
        document["digest"] = digest_of([document.get("basis"), document.get("changes")])
        return document | {"checksum": digest_of(document)}

    return forge


DAMAGE = {
    "another choice": (
        damaged(selection={"brands": ["acme"], "agents": [], "allow_deletes": 99, "prune_now": True}),
        "was edited",
    ),
    "a change less": (lambda document: document | {"changes": document["changes"][1:]}, "was edited"),
    "another digest": (damaged(digest="sha256:" + "0" * 64), "was edited"),
    "another summary": (damaged(summary={}), "was edited"),
    "no checksum": (lambda document: {k: v for k, v in document.items() if k != "checksum"}, "missing or of the wrong"),
    "no basis": (forged(lambda document: document | {"basis": None}), "missing or of the wrong"),
    "a basis of more": (forged(lambda d: d | {"basis": d["basis"] | {"x": ""}}), "missing or of the wrong"),
    "changes of nothing": (forged(damaged(changes=[None])), "missing or of the wrong"),
    "an action that isn't": (
        forged(lambda d: d | {"changes": [d["changes"][0] | {"action": "\x1b"}]}),
        "missing or of",
    ),
    "no brand": (forged(lambda d: d | {"selection": d["selection"] | {"brands": []}}), "missing or of the wrong"),
    "a text for a number": (
        forged(lambda d: d | {"selection": d["selection"] | {"allow_deletes": "9"}}),
        "missing or of the wrong",
    ),
    "an unknown switch": (forged(lambda d: d | {"selection": d["selection"] | {"force": True}}), "missing or of the"),
    "the next version": (damaged(schema="profilectl.plan/2"), "made by a newer profilectl"),
    "another document": (damaged(schema="profilectl.sync/1"), "is no saved plan"),
    "a schema of no text": (damaged(schema=["profilectl.plan/1"]), "is no saved plan"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_is_refused_with_a_sentence(stage, kind):
    """Edited, cut, foreign or too new: exit 5, and nothing is written."""
    damage, said = DAMAGE[kind]
    stage.hire(TEAM | {"alice": "Ally"})
    stage.save()
    stage.plan.write_text(json.dumps(damage(json.loads(stage.plan.read_text()))))
    before = stage.truth()

    assert (5, before) == (stage.apply(), stage.truth())
    assert ("plan", True) == (stage.error.kind, said in stage.error.message), stage.error.message


def test_a_huge_file_is_not_read(tmp_path):
    """A gigabyte of nothing costs neither time nor memory."""
    path = tmp_path / "plan.json"
    with path.open("wb") as file:
        file.truncate(10**9)

    with pytest.raises(InputRefused, match="is larger than"):
        read_plan(path)


def test_names_from_a_file_are_made_visible(stage):
    """An agent's key from a forged file reaches a message, never a terminal's ear."""
    stage.save("--agent", "alice")
    document = json.loads(stage.plan.read_text())
    evil = {"brand": "acme", "agent": "\x1b[2J\u202e", "action": "create", "why": ["new"], "profile_id": None}
    forge = forged(damaged(changes=[evil | {"before": None, "after": {"name": "\x07", "avatar": "x"}}]))
    stage.plan.write_text(json.dumps(forge(document)))

    assert 5 == stage.apply()
    assert stage.error.message.isprintable()


def test_spacing_is_no_edit(stage):
    """A document that a formatter has gone over is still the same plan."""
    stage.save()
    stage.plan.write_text(json.dumps(json.loads(stage.plan.read_text()), indent=4, sort_keys=True, ensure_ascii=False))

    assert 0 == stage.apply()


def test_json_on_stdout_is_a_saved_plan_too(stage, capsys):
    """Redirected into a file it is the same as --out."""
    capsys.readouterr()
    stage.run("diff", "--json")
    stage.plan.write_text(capsys.readouterr().out)

    assert 0 == stage.apply()


def test_an_older_plan_is_overwritten(stage):
    """Also a damaged or a newer one: only a plan's name counts."""
    stage.save()
    stage.plan.write_text('{"schema": "profilectl.plan/7"}')
    stage.save()

    assert 0 == stage.apply()


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "text", "empty", "other JSON"])
def test_nothing_but_a_plan_is_overwritten(tmp_path, kind):
    """It is refused, and stays as it was."""
    path, target = tmp_path / "plan.json", tmp_path / "target"
    {
        "link": lambda: (target.write_text('{"schema": "profilectl.plan/1"}'), path.symlink_to(target)),
        "dangling link": lambda: path.symlink_to(target),
        "folder": path.mkdir,
        "text": lambda: path.write_text("precious"),
        "empty": path.touch,
        "other JSON": lambda: path.write_text('{"schema": "profilectl.sync/1"}'),
    }[kind]()
    before = sorted((one.name, one.is_symlink(), one.is_file() and one.read_text()) for one in tmp_path.iterdir())

    for attempt in (lambda: check_place(path), lambda: save(path, {})):
        with pytest.raises(InputRefused):
            attempt()
    assert before == sorted((o.name, o.is_symlink(), o.is_file() and o.read_text()) for o in tmp_path.iterdir())


def _empty_plan():
    return to_document(Plan((), Basis(*[digest_of([])] * len(Basis.__struct_fields__))), [], Selection())


def test_a_plan_that_cannot_be_saved_is_not_printed_either(stage, capsys):
    """Stdout gets one document: the error's."""
    capsys.readouterr()

    assert 5 == stage.run("diff", "--out", str(stage.folder / "nowhere" / "plan.json"), "--json")
    assert "" == capsys.readouterr().out


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    """Which one, and why."""
    with pytest.raises(InputRefused, match="No such file"):
        save(tmp_path / "nowhere" / "plan.json", _empty_plan())
    with pytest.raises(UsageError):
        save(Path("-"), {})


# In processes of their own.


def test_after_a_kill_the_plan_is_stale_and_a_plain_sync_finishes(desk, served):
    """SIGKILL in the middle of a `sync --plan`: the file isn't good for a second start, and isn't needed."""
    desk.write(*((f"a{number}", f"Agent {number}") for number in range(4)))
    assert 0 == desk.run("diff", "--out", "plan.json").code
    served.fault(call="create", kind="hold", times=None, seconds=60)
    process = desk.start("sync", "--yes", "--plan", "plan.json", "--jobs", "2")
    served.wait_for(lambda: len(served.live()) == 2)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    served.ask("DELETE", "faults")
    stale = desk.run("sync", "--yes", "--plan", "plan.json", "--json")

    assert (5, "plan", 2) == (stale.code, stale.document["error"]["kind"], len(served.live()))
    assert "the ledger and X's profiles have changed since plan.json was made" in stale.err
    assert (0, 4) == (desk.run("sync", "--yes").code, len(served.live()))
    assert 0 == desk.run("diff", "--exit-code").code


def test_another_brand_is_none_of_its_business(desk):
    """A plan for one brand stays good when only the other one moves."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(("alice", "Alice"), brands={"acme": "acmecare", "help": "acmehelp"})
    saved = [desk.run("--brand", key, "diff", "--out", f"{key}.json", "-q").code for key in ("acme", "help")]
    codes = [desk.run("sync", "--yes", "--plan", f"{key}.json").code for key in ("help", "acme", "help")]

    assert ([0, 0], [0, 0, 5]) == (saved, codes)


def test_a_plan_s_path_is_quoted_in_what_is_pasted(desk):
    """A folder with a blank in its name: both commands work as they are printed."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    (desk.folder / "our plans").mkdir()
    desk.write(("alice", "Alice"))
    wrote = desk.run("diff", "--out", "our plans/plan.json").err
    command = wrote.rpartition("; `")[2].partition("`")[0]

    assert "profilectl sync --plan 'our plans/plan.json'" == command
    assert 0 == desk.shell(f"{command} --yes").code
    stale = desk.run("sync", "--yes", "--plan", "our plans/plan.json").err
    assert "`profilectl diff --out 'our plans/plan.json'`" in stale
