"""One ledger, several machines: whatever befalls the database between them, X has each face once.

`PROFILECTL_TEST_SHARED=100` has that many races, and each fault as often; `PROFILECTL_TEST_SEED` chooses other moments.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from profilectl.audit.chain import verify
from tests import postgres_server
from tests.patience import cut_short, next_line, until
from tests.postgres_server import PgBouncer, PostgresServer, Replica
from tests.preloaded import modules_of_a_run
from tests.resilience import wire
from tests.resilience.shared_bench import NEWER, Machine, SharedBench
from tests.resilience.test_races import NEVER, everything
from tests.resilience.wire import Network, Wire

USUAL_SHARED_RACES = 6
USUAL_FAULTS = 4
SENDERS = 300
RACES = int(os.environ.get("PROFILECTL_TEST_SHARED", str(USUAL_SHARED_RACES)))
FAULTS = int(os.environ.get("PROFILECTL_TEST_SHARED", str(USUAL_FAULTS)))
SEED = int(os.environ.get("PROFILECTL_TEST_SEED", "1"))
ONE_WORLD = 2  # races or faults; a world's time is moved on after each, and signatures may be five minutes off
DOORS = ("direct", "pooler")
IDLE = {"idle_session_timeout": "1s", "idle_in_transaction_session_timeout": "1s"}
ENDED = {0, 5, 6, 7, 75}  # what a run may end with that something befell; a defect of ours is 1
MOST_RUNS = 8  # until the machines have come to rest
MOST_WAVES = 4  # of senders who are told to try again: X allows signatures that are off by five minutes
MOST_TRIES = 10  # runs in a row that are over before they can be stopped


@dataclass
class Setting:
    """Two machines, what lies between them and their ledger, and what ends with the test."""

    bench: SharedBench
    stack: ExitStack
    pooler: PgBouncer | None = None
    wires: list[Wire] = field(default_factory=list)
    networks: list[Network | None] = field(default_factory=list)

    def add(self, name: str, *, apart: bool) -> None:
        """Add a machine, in a network of its own where it is to be `apart`."""
        network = self.stack.enter_context(Network()) if apart else None
        port = self.pooler.port if self.pooler else self.bench.postgres.port
        self.wires.append(self.stack.enter_context(Wire(port, network=network)))
        if network is not None:
            self.stack.enter_context(Wire(self.bench.x_port, network=network))
        self.networks.append(network)
        self.bench.add_machine(name, self.wires[-1].port, network)

    def move_to(self, server: PostgresServer) -> None:
        """Let everybody reach another server at the addresses they know."""
        self.bench.postgres = server
        if self.pooler is not None:
            self.pooler.point_to(server)
            return
        for line in self.wires:
            line.target = server.port


@pytest.fixture
def setting(tmp_path, require):
    """Return a function that builds a setting which lasts as long as the test."""
    reason = postgres_server.why_not()
    require("postgres", reason is None, str(reason))
    with ExitStack() as stack:

        def build(door: str, seed: int, *, retire_after: int = 10, **settings: str) -> Setting:
            postgres = stack.enter_context(PostgresServer(**settings))
            pooler = None
            if door == "pooler":
                reason = postgres_server.why_no_pooler()
                require("pgbouncer", reason is None, str(reason))
                pooler = stack.enter_context(PgBouncer(postgres, pool_size=4))
            bench = SharedBench(tmp_path / "desk", random.Random(seed), retire_after, postgres=postgres)
            made = Setting(stack.enter_context(bench), stack, pooler)
            for name in ("laptop", "cron-host"):
                made.add(name, apart=wire.why_no_namespaces() is None)
            return made

        yield build


def door_of(campaign: int) -> str:
    """Return how a campaign's machines reach their ledger: one as often as the other."""
    return DOORS[campaign % 2]


# Races


@pytest.mark.scoreboard("two machines")
@pytest.mark.parametrize("campaign", range(-(-RACES // ONE_WORLD)))
def test_two_machines_at_once_do_the_work_once(setting, campaign, tally):
    """No duplicate and no lost binding; the second finds nothing to do, or leaves with 75 and names the holder."""
    bench = setting(door_of(campaign), SEED * 1000 + campaign, retire_after=NEVER).bench
    for _ in range(min(ONE_WORLD, RACES - campaign * ONE_WORLD)):
        race(bench)
        tally()
    bench.judge_difference()


def race(bench: SharedBench) -> None:
    """Let the roster move, and two machines bring it to X."""
    before, looks = len(everything(bench)), dict(bench.agents)
    bench.reshuffle()
    bench.slow_down(0.03)
    new = sum(looks.get(key) != look for key, look in bench.agents.items())
    machines = list(bench.machines)
    commands = [["sync", "--yes", "--json", "--max-wait", bench.dice.choice(("0s", "1m"))] for _ in machines]
    processes = [machine.start(*words) for machine, words in zip(machines, commands, strict=True)]
    output = [process.communicate(timeout=120) for process in processes]
    codes = [process.returncode for process in processes]

    assert codes in ([0, 0], [0, 75], [75, 0]), output
    assert before + new == len(everything(bench))
    for loser in (number for number, code in enumerate(codes) if code == 75):
        holder = f"held by profilectl sync (pid {processes[1 - loser].pid} on {machines[1 - loser].name}, "
        assert holder in output[loser][1], output
        assert 75 == json.loads(output[loser][0])["error"]["code"]
    assert codes != [0, 0] or 0 in {json.loads(out)["summary"]["done"] for out, _ in output}
    bench.judge_at_rest()


# Faults


@dataclass
class Run:
    """A sync that is under way on a machine, while something befalls the ledger."""

    setting: Setting
    machine: Machine
    process: subprocess.Popen[str]

    def pause(self, most: float) -> None:
        """Let a random moment of the run pass."""
        time.sleep(self.setting.bench.dice.uniform(0, most))

    def finish(self) -> tuple[int, str]:
        """Return how it ended."""
        with cut_short(self.process):
            out, err = self.process.communicate(timeout=120)
        assert "Traceback" not in err, err
        assert self.process.returncode in ENDED, (out, err)
        return self.process.returncode, err


@contextmanager
def a_run(setting: Setting, **slowness: float):
    """Start a sync that has something to do; the block begins with its first request."""
    bench = setting.bench
    bench.reshuffle()
    bench.slow_down(**slowness)
    bench.requests.clear()
    machine = bench.machines[0]
    process = machine.start("sync", "--yes", "--max-wait", "1m", "--jobs", str(bench.dice.choice((1, 2, 5))))
    with process, cut_short(process):
        until(lambda: bench.requests or process.poll() is not None, "the first request of a sync")
        assert process.poll() is None, process.communicate(timeout=60)
        yield Run(setting, machine, process)


def strike_and_judge(setting: Setting, fault: Any) -> None:
    """Let a fault befall a run; then the other machine finishes, and there is one face for each agent."""
    fault(setting)
    settle(setting.bench)
    setting.bench.judge_at_rest()
    setting.bench.judge_difference()


def settle(bench: SharedBench) -> None:
    """Bring X to the roster on each machine in turn, as their messages say, until both have nothing left to do."""
    at_rest = 0
    for _ in range(MOST_RUNS):
        if not at_rest:
            bench.let_time_pass()
        done = bench.run("sync", "--yes", "--max-wait", "1m")
        heed(bench, done.stdout + done.stderr)
        at_rest = at_rest + 1 if done.returncode == 0 and "done" not in done.stdout else 0
        if at_rest == len(bench.machines):
            return
    pytest.fail(f"it never came to rest: {done}")


def heed(bench: SharedBench, message: str) -> None:
    """Do what a message tells a person to do, on the machine that said so."""
    machine = bench.machines[0]
    if "profilectl ledger accept-restore" in message:
        done = machine.run("ledger", "accept-restore", "--yes")
        assert done.returncode == 0, (message, done)
        message += done.stdout + done.stderr
    adoptions = set(re.findall(r"profilectl profiles adopt (\S+) (\d+)", message))
    commands = [["profiles", "adopt", *adoption, "--yes"] for adoption in adoptions]
    commands += [["recover", "--yes"]] if "profilectl recover" in message else []
    for words in commands:
        done = machine.run(*words)
        assert done.returncode == 0, (message, done)


def killed(setting: Setting) -> None:
    """Kill the run, whose lease then has to come to its end by itself."""
    with a_run(setting) as run:
        run.pause(0.5)
        run.process.kill()
        run.process.communicate(timeout=60)


def through_the_pooler(setting: Setting) -> None:
    """Restart the pooler, end the sessions behind it, or let nothing happen but that it shares them."""
    with a_run(setting) as run:
        run.pause(0.5)
        deed = setting.bench.dice.choice(("restart", "terminate", "share"))
        if deed == "restart":
            setting.pooler.stop()
            setting.pooler.start()
        elif deed == "terminate":
            setting.bench.postgres.terminate_connections()
        run.finish()


def failover(setting: Setting) -> None:
    """Lose the server, and what it committed last: a standby that lacks it takes over, at the same address."""
    bench, primary = setting.bench, setting.bench.postgres
    replica = setting.stack.enter_context(Replica(primary))
    with a_run(setting) as run:
        run.pause(0.3)
        replica.fall_behind()
        had = records_of(primary, bench)
        until(lambda: records_of(primary, bench) > had or run.process.poll() is not None, "a commit that gets lost")
        run.pause(0.3)
        primary.kill()
        replica.promote()
        setting.move_to(replica)
        run.finish()


def records_of(server: PostgresServer, bench: SharedBench) -> int:
    """Return how many records of the audit trail a server has."""
    ((count,),) = server.execute("SELECT count(*) FROM profilectl.audit", database=bench.database)
    return count


def restore(setting: Setting) -> None:
    """Put last night's dump in the ledger's place: during a run, or after it."""
    bench = setting.bench
    dumped = bench.postgres.dump(bench.database)
    with a_run(setting) as run:
        if bench.dice.random() < 0.5:
            run.pause(0.5)
            bench.restore(dumped)
        run.finish()
    bench.restore(dumped)


def link_cut(setting: Setting) -> None:
    """Cut the kernel's link, freeze or break the connection, or lose the answer to a commit that was applied."""
    line, network, dice = setting.wires[0], setting.networks[0], setting.bench.dice
    deed = dice.choice(("lost commit", "freeze", "break", "link"))
    with a_run(setting) as run:
        if deed == "lost commit":
            line.loses_commits = dice.choice((1, 2))
        run.pause(0.4)
        if deed == "link" and network is not None:
            network.set_link("down")
            run.pause(3)
            network.set_link("up")
        elif deed == "freeze":
            line.freeze()
            run.pause(3)
        elif deed != "lost commit":
            line.cut()
            run.pause(2)
        line.mend()
        run.finish()
    line.loses_commits = 0


def ended_sessions(setting: Setting) -> None:
    """End the sessions: those that idle for a second, all of them, or with the whole server."""
    postgres = setting.bench.postgres
    with a_run(setting, most=1.3) as run:
        run.pause(1)
        deed = setting.bench.dice.choice(("idle", "terminate", "kill", "restart"))
        if deed == "terminate":
            for _ in range(3):
                postgres.terminate_connections()
                run.pause(0.3)
        elif deed == "kill":
            postgres.kill()
            run.pause(1)
            postgres.start()
        elif deed == "restart":
            postgres.stop("fast")
            run.pause(1)
            postgres.start()
        run.finish()


def mixed_versions(setting: Setting) -> None:
    """Let a program of another version meet the ledger, at the same time as one of ours."""
    bench = setting.bench
    with a_run(setting) as run:
        other = bench.machines[1].start("sync", "--yes", program=NEWER)
        out, err = other.communicate(timeout=120)
        assert (5, True) == (other.returncode, "was written by an earlier profilectl" in err), (out, err)
        code, err = run.finish()
        assert 0 == code, err
    for age, number in (("a newer", "99"), ("an earlier", "1")):
        ((ours,),) = bench.execute("SELECT value FROM profilectl.meta WHERE name = 'format'")
        bench.execute("UPDATE profilectl.meta SET value = %s WHERE name = 'format'", number)
        before = len(bench.requests), bench.execute("SELECT count(*) FROM profilectl.audit")
        done = bench.run("sync", "--yes")
        assert (5, True) == (done.returncode, f"was written by {age} profilectl" in done.stderr), done
        assert before == (len(bench.requests), bench.execute("SELECT count(*) FROM profilectl.audit"))
        bench.execute("UPDATE profilectl.meta SET value = %s WHERE name = 'format'", ours)


def campaigns() -> list[int]:
    return list(range(-(-FAULTS // ONE_WORLD)))


def carry_out(build: Any, fault: Any, campaign: int, tally: Any, *, door: str | None = None, **settings: str) -> None:
    setting = build(door or door_of(campaign), SEED * 1000 + campaign, **settings)
    for _ in range(min(ONE_WORLD, FAULTS - campaign * ONE_WORLD)):
        strike_and_judge(setting, fault)
        tally()


@pytest.mark.scoreboard("shared kills")
@pytest.mark.parametrize("campaign", campaigns())
def test_a_killed_run_is_finished_by_another_machine(setting, campaign, tally):
    """After a SIGKILL at any moment the other machine goes on when the lease is over, and nothing is left to do."""
    carry_out(setting, killed, campaign, tally)


@pytest.mark.scoreboard("pooler")
@pytest.mark.parametrize("campaign", campaigns())
def test_a_pooler_in_transaction_mode(setting, campaign, tally):
    """A pooler that shares sessions, ends them or is started again makes no duplicate and loses no binding."""
    carry_out(setting, through_the_pooler, campaign, tally, door="pooler")


@pytest.mark.scoreboard("failover")
@pytest.mark.parametrize("campaign", campaigns())
def test_a_failover_that_loses_the_last_commits(setting, campaign, tally):
    """Who goes on with a standby that lacks the last commits makes no duplicate and loses no binding."""
    carry_out(setting, failover, campaign, tally)


@pytest.mark.scoreboard("restore")
@pytest.mark.parametrize("campaign", campaigns())
def test_a_ledger_from_an_older_dump(setting, campaign, tally):
    """What was made after the dump is recognised, and nothing is made twice."""
    carry_out(setting, restore, campaign, tally)


@pytest.mark.scoreboard("link cut")
@pytest.mark.parametrize("campaign", campaigns())
def test_a_link_that_is_cut(setting, campaign, tally):
    """Whatever is lost between a machine and the ledger, an applied commit's answer included."""
    carry_out(setting, link_cut, campaign, tally)


@pytest.mark.scoreboard("idle timeout")
@pytest.mark.parametrize("campaign", campaigns())
def test_sessions_that_the_server_ends(setting, campaign, tally):
    """A server that ends idle sessions, all sessions or itself in the middle of a run."""
    carry_out(setting, ended_sessions, campaign, tally, **IDLE)


@pytest.mark.scoreboard("mixed versions")
@pytest.mark.parametrize("campaign", campaigns())
def test_programs_of_several_versions(setting, campaign, tally):
    """A ledger of another format is refused by its name, by the older and by the newer program, and stays as it is."""
    carry_out(setting, mixed_versions, campaign, tally)


# A holder that stands still


@pytest.mark.scoreboard("frozen holder")
@pytest.mark.parametrize("campaign", campaigns())
def test_a_holder_that_wakes_up_too_late_writes_nothing(setting, campaign, tally):
    """Its lease has passed to another run, which has finished: it asks nothing of X, writes nothing, and says why."""
    made = setting(door_of(campaign), SEED * 1000 + campaign, log_statement="mod")
    for _ in range(min(ONE_WORLD, FAULTS - campaign * ONE_WORLD)):
        assert any(was_frozen(made) for _ in range(MOST_TRIES)), "every run was faster than its signal"
        tally()


def was_frozen(setting: Setting) -> bool:
    """Stop a run for longer than its lease lasts, and judge what it does then; say whether it held one."""
    bench = setting.bench
    with a_run(setting, most=0.3) as run:
        target = bench.dice.randrange(2, 6)  # the request during which it stops
        until(lambda: len(bench.requests) >= target or run.process.poll() is not None, "the moment")
        run.pause(0.05)
        run.process.send_signal(signal.SIGSTOP)
        if not bench.has_lease():
            run.process.send_signal(signal.SIGCONT)
            run.finish()
            return False
        bench.let_time_pass()
        done = bench.run("sync", "--yes", "--max-wait", "1m")
        assert 0 == done.returncode, done
        bench.judge_at_rest()
        requests, written, logged = len(bench.requests), all_records(bench), len(bench.postgres.log)
        run.process.send_signal(signal.SIGCONT)
        code, message = run.finish()

    assert 75 == code, message
    assert "taken over by profilectl sync (pid " in message
    assert f"on {bench.machines[0].name}, " in message
    assert [] == [request for request in bench.requests[requests:] if request[0] != "GET"]
    assert written == all_records(bench)
    assert [] == re.findall(r"(?:INSERT|DELETE) .*", bench.postgres.log[logged:])
    bench.judge_at_rest()
    bench.judge_difference()
    return True


def all_records(bench: SharedBench) -> list[Any]:
    with bench.reader() as ledger:
        return list(ledger.events())


# Many at once

# Each sender is a process; they are copies of one that has loaded the program, which is what takes long.
SENDING = """
import gc, json, os, sys
from importlib import import_module
for name in MODULES:
    import_module(name)
from profilectl.cli.main import run
gc.freeze()
agent, customer, *numbers = sys.argv[1:]
gate, opener = os.pipe()
senders = {}
for number in numbers:
    senders[number] = os.fork()
    if senders[number] == 0:
        os.close(opener)
        os.read(gate, 1)
        os.dup2(os.open(f"{number}.err", os.O_CREAT | os.O_WRONLY | os.O_TRUNC), 2)
        os.dup2(2, 1)
        words = ["send", "--as", agent, "--to", customer, "--key", f"key {number}", "--human-wrote-this"]
        code = run([*words, f"Hi {number}"])
        sys.stderr.flush()
        os._exit(code)
print("ready", flush=True)
sys.stdin.readline()
os.close(opener)
ends = {number: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for number, pid in senders.items()}
print(json.dumps(ends), file=sys.stderr)
"""


@pytest.mark.scoreboard("senders")
@pytest.mark.parametrize("door", DOORS)
def test_three_hundred_senders_at_once(setting, door, tally):
    """Every message goes out once, under its agent's face, and the record of them all is one whole chain.

    Who is told to try again, as the machine is too slow for so many, does so with the same key.
    """
    bench = setting(door, SEED, max_connections="700").bench  # each has one to look and one to write
    bench.agents = {"alice": ("Alice", "a.png")}
    bench.write()
    assert 0 == bench.run("sync", "--yes").returncode
    customer = bench.world.ensure_customer("customer")
    modules = [*modules_of_a_run(), "psycopg", "profilectl.cli.send"]
    program = [sys.executable, "-c", f"MODULES = {modules}{SENDING}", "alice", customer.user_id]
    unsent = {str(number) for number in range(SENDERS)}
    for _ in range(MOST_WAVES):
        ends = all_at_once(bench, program, sorted(unsent))
        reasons = {number: (bench.folder / f"{number}.err").read_text() for number, code in ends.items() if code != 0}
        assert unsent == set(ends)
        assert {0, 7, 75} >= set(ends.values()), reasons
        assert not [why for why in reasons.values() if "by another process" in why], reasons
        unsent = set(reasons)
        if not unsent:
            break
        bench.world.advance(60)  # what is in doubt can be settled then
    assert set() == unsent
    messages = bench.world.messages.all()
    for _ in messages:
        tally()
    assert sorted(f"Hi {number}" for number in range(SENDERS)) == sorted(message.text for message in messages)
    assert {bench.state_of().binding("alice").profile_id} == {message.profile_id for message in messages}
    with bench.reader() as ledger:
        assert verify(ledger.events()) is None
        assert SENDERS == sum(record.event.what == "sent" for record in ledger.events())


def all_at_once(bench: SharedBench, program: list[str], numbers: list[str]) -> dict[str, int]:
    """Let these senders go at one moment, half of them on each machine; return their exit codes."""
    ends: dict[str, int] = {}
    with ExitStack() as stack:
        parents = [
            stack.enter_context(machine.start(*numbers[place::2], program=program, stdin=subprocess.PIPE))
            for place, machine in enumerate(bench.machines)
        ]
        for parent in parents:
            assert "ready\n" == next_line(parent)
        for parent in parents:
            parent.stdin.write("go\n")
            parent.stdin.flush()
        for parent in parents:
            with cut_short(parent):
                ends |= json.loads(parent.communicate(timeout=300)[1].splitlines()[-1])
    return ends
