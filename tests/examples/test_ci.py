"""The jobs for GitHub and GitLab: their own commands against a sandbox, and a forge on loopback."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from profilectl.ledger.address import parse_place
from profilectl.ledger.grants import Roles, statements
from profilectl.ledger.opening import open_for_writing
from tests import postgres_server
from tests.examples.conftest import EXAMPLES
from tests.examples.forge import TOKEN, Forge

FOLDER = EXAMPLES / "ci"
COMMIT = "c0ffee" + "0" * 34
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
MARKER = "<!-- profilectl plan -->"
MEMBERS = "GRANT profilectl_admin TO admin", "GRANT profilectl_reader TO reader"
ROSTER = 'version = 1\n[brands.acme]\nhandle = "AcmeCare"\n[defaults]\nkind = "human"\navatar = "alice.png"\n'


def roster(*names: str) -> str:
    return ROSTER + "".join(f'[agents.{name.lower()}]\nname = "{name}"\n' for name in names)


@dataclass
class Runner:
    """A checkout of the roster's repository, and what a job has around it."""

    machine: Any
    forge: Forge
    reader_ledger: str
    ledger: str
    outputs: dict[str, str] = field(default_factory=dict)
    roster: str = "roster.toml"

    def __post_init__(self) -> None:
        self.checkout = self.machine.root / "checkout"
        self.machine.write_roster(self.checkout)
        (self.checkout / "ci").mkdir()
        shutil.copy(FOLDER / "plan_comment.py", self.checkout / "ci")
        self.write(roster("Alice"))

    def write(self, text: str) -> None:
        (self.checkout / self.roster).write_text(text)

    def move_into(self, folder: str) -> None:
        """Let the roster and its picture lie in a folder of the checkout."""
        self.roster = f"{folder}/roster.toml"
        (self.checkout / folder).mkdir()
        for name in ("roster.toml", "alice.png"):
            (self.checkout / name).rename(self.checkout / folder / name)

    @property
    def comments(self) -> list[str]:
        """The bodies of the bot's comments."""
        return [one["body"] for one in self.forge.comments.get("7", []) if one["user"]["login"] == self.forge.bot]

    @property
    def reviewed(self) -> str:
        return DIGEST.findall(self.comments[-1])[-1]

    @property
    def secrets(self) -> dict[str, str]:
        return {f"PROFILECTL_{name.upper()}": value for name, value in json.loads(self.machine.token).items()}

    def bash(self, script: str, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a script as a runner does, on a machine that is new."""
        shutil.rmtree(self.machine.home)
        self.machine.home.mkdir()
        return subprocess.run(
            ["bash", "-e", *options, "-c", script],
            cwd=self.checkout,
            env=self.machine.environment(**environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


class GitHub(Runner):
    """Runs a job of the workflow, step by step."""

    def expressions(self, digest: str) -> dict[str, str]:
        """What the workflow's expressions mean in a job."""
        secrets = {f"secrets.{name}": value for name, value in self.secrets.items()}
        return secrets | {
            "secrets.PROFILECTL_READER_PASSWORD": "reader-pw",
            "secrets.PROFILECTL_ADMIN_PASSWORD": "admin-pw",
            "vars.PROFILECTL_LEDGER_READER": self.reader_ledger,
            "vars.PROFILECTL_LEDGER": self.ledger,
            "github.server_url": "https://github.com",
            "github.repository": "acme/roster",
            "github.event.pull_request.head.sha": COMMIT,
            "github.event.pull_request.number": "7",
            "github.token": TOKEN,
            "inputs.digest": digest,
            "steps.reviewed.outputs.digest": self.outputs.get("digest", ""),
        }

    def steps(self, name: str) -> list[dict[str, Any]]:
        """Return the steps of a job."""
        return workflow()["jobs"][name]["steps"]

    def job(self, name: str, digest: str = "") -> tuple[int, str]:
        """Return the exit code of the first step that failed, and what all steps have printed."""
        code, printed = 0, ""
        for step in self.steps(name):
            if "run" not in step or "pip install" in step["run"] or (code and "cancelled()" not in step.get("if", "")):
                continue
            environ = {key: self.evaluate(str(value), digest) for key, value in step["env"].items()}
            environ.setdefault("PROFILECTL_ROSTER", self.roster)
            done = self.bash(step["run"], **environ, **self.variables())
            code, printed = code or done.returncode, printed + done.stdout + done.stderr
            lines = (self.machine.root / "output").read_text().splitlines()
            self.outputs |= dict(line.split("=", 1) for line in lines)
        return code, printed + self.summary.read_text()

    @property
    def summary(self):
        return self.machine.root / "summary"

    def variables(self) -> dict[str, str]:
        for name in ("output", "summary"):
            (self.machine.root / name).touch()
        return {
            "GITHUB_API_URL": self.forge.url,
            "GITHUB_REPOSITORY": "acme/roster",
            "GITHUB_SHA": COMMIT,
            "GITHUB_OUTPUT": str(self.machine.root / "output"),
            "GITHUB_STEP_SUMMARY": str(self.summary),
        }

    def evaluate(self, text: str, digest: str) -> str:
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: self.expressions(digest)[match[1]], text)


class Action(GitHub):
    """Runs the steps of our action, in a job that gives it the same variables as the workflow has."""

    def steps(self, name: str) -> list[dict[str, Any]]:
        """Return the action's steps for a command, each with the variables of the job around it."""
        command = {"plan": "diff"}.get(name, name)
        ledger = {"plan": ("LEDGER_READER", "READER"), "sync": ("LEDGER", "ADMIN")}[name]
        around = {secret: f"${{{{ secrets.{secret} }}}}" for secret in self.secrets} | {
            "PROFILECTL_LEDGER": f"${{{{ vars.PROFILECTL_{ledger[0]} }}}}",
            "PGPASSWORD": f"${{{{ secrets.PROFILECTL_{ledger[1]}_PASSWORD }}}}",
        }
        steps = (step for step in action()["runs"]["steps"] if f"inputs.command == '{command}'" in step.get("if", ""))
        return [{**step, "env": {**around, **step["env"]}} for step in steps]

    def expressions(self, digest: str) -> dict[str, str]:
        """What the action's expressions mean as well."""
        return super().expressions(digest) | {
            "github.action_path": str(FOLDER.parents[1]),
            "runner.temp": str(self.machine.root),
            "inputs.roster": self.roster,
            "inputs.token": TOKEN,
            "inputs.pull-request": "7",
        }


class GitLab(Runner):
    """Runs the script of a job, in one shell."""

    def job(self, name: str, digest: str = "") -> tuple[int, str]:
        script = "\n".join(pipeline()[f"profiles-{name}"]["script"])
        done = self.bash(script, "-o", "pipefail", **self.variables(), **({"DIGEST": digest} if digest else {}))
        return done.returncode, done.stdout + done.stderr

    def variables(self) -> dict[str, str]:
        return self.secrets | {
            "PROFILECTL_ROSTER": self.roster,
            "PROFILECTL_LEDGER": self.ledger,
            "PROFILECTL_LEDGER_READER": self.reader_ledger,
            "PROFILECTL_READER_PASSWORD": "reader-pw",
            "PROFILECTL_ADMIN_PASSWORD": "admin-pw",
            "PLAN_COMMENT_TOKEN": TOKEN,
            "CI_API_V4_URL": self.forge.url,
            "CI_PROJECT_ID": "31",
            "CI_PROJECT_URL": "https://gitlab.com/acme/roster",
            "CI_COMMIT_SHA": COMMIT,
            "CI_MERGE_REQUEST_IID": "7",
        }


def workflow() -> dict[str, Any]:
    # YAML 1.1 reads the key `on` as true
    return yaml.safe_load((FOLDER / "github.yml").read_text())


def action() -> dict[str, Any]:
    return yaml.safe_load((FOLDER.parents[1] / "action.yml").read_text())


def pipeline() -> dict[str, Any]:
    return yaml.safe_load((FOLDER / "gitlab-ci.yml").read_text())


@pytest.fixture(scope="module")
def server():
    """A database server that asks for passwords; None where there can't be one."""
    if postgres_server.why_not() is not None:
        yield None
        return
    with postgres_server.PostgresServer(auth="scram-sha-256") as running:
        running.add_role("admin", "admin-pw")
        running.add_role("reader", "reader-pw")
        yield running


@pytest.fixture(params=[GitHub, Action, GitLab])
def runner(request, machine, server, require):
    """A forge, and a database with a ledger of its own, that a role may write and another one read."""
    require("postgres", server is not None, str(postgres_server.why_not()))
    name = server.fresh_database()
    open_for_writing(parse_place(server.address(host=str(server.folder), database=name))).close()
    for statement in (*statements(Roles(), "profilectl"), *MEMBERS):
        server.execute(statement, database=name)
    ledgers = (server.address(user=user, database=name) for user in ("reader", "admin"))
    bot = "project_31_bot" if request.param is GitLab else "github-actions[bot]"
    with Forge(bot) as forge:
        yield request.param(machine, forge, *ledgers)


def test_a_pull_request_has_one_comment_that_is_kept_up_to_date(runner):
    """Also where a hundred others have been written meanwhile, and one that only looks like ours."""
    code, printed = runner.job("plan")
    runner.forge.add("7", f"{MARKER}\nPlan `sha256:{'0' * 64}`", "mallory")
    for number in range(150):
        runner.forge.add("7", f"comment {number}", "alice")
    first = runner.comments
    runner.write(roster("Alicia"))
    again, _ = runner.job("plan")

    assert (0, 0) == (code, again), printed
    assert (1, 1, 152) == (len(first), len(runner.comments), len(runner.forge.comments["7"]))
    assert ("`Alice`" in first[0], "`Alicia`" in runner.comments[0]) == (True, True)
    assert f'/roster/{"-/" * isinstance(runner, GitLab)}raw/{COMMIT}/alice.png"' in runner.comments[0]
    assert [] == runner.machine.live()


def test_pictures_lie_beside_a_roster_in_a_folder(runner):
    """The comment's addresses name the folder as well."""
    runner.move_into("tour")
    code, printed = runner.job("plan")

    assert 0 == code, printed
    assert f'/raw/{COMMIT}/tour/alice.png"' in runner.comments[0]


def test_a_roster_with_a_mistake_is_explained_in_the_comment(runner):
    """On GitHub the mistake stands beside its line, too; X isn't asked, and no digest can be applied."""
    runner.write(roster("Alice").replace("name =", "nme ="))
    code, printed = runner.job("plan")
    [comment] = runner.comments

    assert 5 == code, printed
    assert "    roster.toml:" in comment
    assert ("agents.alice.nme" in comment, "sha256:" in comment) == (True, False)
    assert isinstance(runner, GitLab) or "::error file=roster.toml,line=" in printed


@pytest.mark.parametrize("arguments", [["--help"], [], ["post"]])
def test_outside_of_a_job_the_script_says_what_it_needs(arguments):
    """A sentence instead of a traceback, and 2 as for any wrong use."""
    done = subprocess.run(
        [sys.executable, FOLDER / "plan_comment.py", *arguments],
        env={},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (2, "") == (done.returncode, done.stdout)
    assert 1 == len(done.stderr.splitlines())


def test_what_was_reviewed_is_what_main_does(runner):
    """The digest comes from the comment of the change that was merged; a second time it isn't the plan any more."""
    runner.job("plan")
    runner.forge.merged[COMMIT] = 7
    code, printed = runner.job("sync")
    live = runner.machine.live()
    again, later = runner.job("sync")

    assert (0, ["Alice"]) == (code, live), printed
    assert 5 == again
    assert "the plan" in later
    assert ["Alice"] == runner.machine.live()


def test_what_has_moved_since_is_looked_at_again(runner):
    """The job does nothing, and shows the digest with which somebody may start it by hand."""
    runner.job("plan")
    runner.forge.merged[COMMIT] = 7
    runner.write(roster("Alice", "Bruno"))
    code, printed = runner.job("sync")
    nobody = runner.machine.live()
    digest = next(digest for digest in reversed(DIGEST.findall(printed)) if digest != runner.reviewed)
    by_hand, more = runner.job("sync", digest)

    assert (5, []) == (code, nobody), printed
    assert (0, ["Alice", "Bruno"]) == (by_hand, sorted(runner.machine.live())), more


def test_what_nobody_reviewed_is_not_done(runner):
    """A commit that came with no change, or with one that has no comment of ours."""
    runner.forge.add("7", f"{MARKER}\nPlan `sha256:{'0' * 64}`", "mallory")
    direct = runner.job("sync")
    runner.forge.merged[COMMIT] = 7
    unread = runner.job("sync")

    for code, printed in (direct, unread):
        assert 1 == code
        assert f"no plan was reviewed for {COMMIT[:12]}" in printed
    assert [] == runner.machine.live()


def test_a_plan_that_is_refused_is_shown_and_fails(runner):
    """Who reviews sees the guard, and the job is red."""
    runner.write(roster("Alice", "Bruno", "Clara", "Dora"))
    runner.job("plan")
    runner.forge.merged[COMMIT] = 7
    assert 0 == runner.job("sync")[0]
    runner.write(roster("Alice"))

    assert 5 == runner.job("plan")[0]
    assert "**Refused:**" in runner.comments[0]


def test_without_an_answer_of_x_the_comment_has_no_plan(runner):
    """The job fails with profilectl's own exit code, and the earlier plan doesn't stand for this push."""
    runner.job("plan")
    runner.machine.token = json.dumps({**json.loads(runner.machine.token), "access_token_secret": "wrong"})

    assert 4 == runner.job("plan")[0]
    [comment] = runner.comments
    assert ("no plan" in comment, "sha256:" in comment) == (True, False)


def test_a_plan_of_thousands_fits_into_a_comment(runner):
    """Its digest is what the job for main needs, so that stays."""
    runner.write(roster(*(f"Agent{number}" for number in range(1200))))
    code, printed = runner.job("plan")

    assert 0 == code, printed
    assert len(runner.comments[0]) < 65_536
    assert runner.comments[0].rstrip().endswith(f"Plan `{runner.reviewed}`")
    assert "doesn't fit into a comment" in runner.comments[0]


def test_no_secret_is_printed(runner):
    """Nor does one stand in a comment."""
    _, printed = runner.job("plan")
    secrets = [*json.loads(runner.machine.token).values(), "reader-pw", "admin-pw", TOKEN]

    assert [] == [secret for secret in secrets if secret in printed + runner.comments[0]]


# What the files say


def test_the_workflow_runs_with_the_least_rights():
    """A stranger's pull request runs nothing, and each job may do what it needs."""
    text, jobs = (FOLDER / "github.yml").read_text(), workflow()["jobs"]

    assert "pull_request_target" not in workflow()[True]
    assert {} == workflow()["permissions"]
    assert {"contents": "read", "pull-requests": "write"} == jobs["plan"]["permissions"]
    assert {"contents": "read", "pull-requests": "read"} == jobs["sync"]["permissions"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in jobs["plan"]["if"]
    assert "github.ref == 'refs/heads/main'" in jobs["sync"]["if"]
    uses = re.findall(r"uses: (.*)", text)
    assert uses
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}  # v[\d.]+", action) for action in uses)


def test_no_expression_is_pasted_into_a_script():
    """What somebody else may choose, such as a branch's name, reaches a shell as a variable only."""
    runs = [step["run"] for job in workflow()["jobs"].values() for step in job["steps"] if "run" in step]

    runs += [step["run"] for step in action()["runs"]["steps"]]

    assert 12 == len(runs)
    assert [] == [run for run in runs if "${{" in run]


def test_the_merge_request_of_a_fork_runs_nothing():
    """It would run in the fork's project, or with a stranger's script."""
    [rule] = pipeline()["profiles-plan"]["rules"]

    assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID" in rule["if"]
    assert all("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" in rule["if"] for rule in pipeline()["profiles-sync"]["rules"])


def test_shellcheck_has_nothing_to_say(require):
    """Of the scripts in all three files, as bash."""
    program = shutil.which("shellcheck")
    require("shellcheck", program is not None, "shellcheck isn't installed")
    steps = [step.get("run", "") for job in workflow()["jobs"].values() for step in job["steps"]]
    steps += [step["run"] for step in action()["runs"]["steps"]]
    scripts = [*steps, *("\n".join(pipeline()[f"profiles-{name}"]["script"]) for name in ("plan", "sync"))]
    for script in filter(None, scripts):
        done = subprocess.run(
            [program, "--shell=bash", "-"], input=script, capture_output=True, text=True, timeout=60, check=False
        )
        assert (0, "") == (done.returncode, done.stdout)


SECRETS = (
    *("PROFILECTL_CONSUMER_KEY", "PROFILECTL_CONSUMER_SECRET"),
    *("PROFILECTL_ACCESS_TOKEN", "PROFILECTL_ACCESS_TOKEN_SECRET", "PGPASSWORD"),
)


def test_the_page_gives_secrets_to_our_action_only():
    """Not to the whole workflow or job: a checkout and setup-python would have them as well."""
    text = (FOLDER.parents[1] / "docs" / "ci.md").read_text()
    page = yaml.safe_load(re.findall(r"```yaml\n(on:.*?)```", text, re.DOTALL)[0])
    steps = [step for job in page["jobs"].values() for step in job["steps"]]
    having = [step["uses"] for step in steps if "secrets." in str(step)]

    assert "secrets." not in str([page.get("env"), *(job.get("env") for job in page["jobs"].values())])
    assert ["OWNER/profilectl@VERSION"] * 2 == having


def test_pip_has_no_secret_in_the_action():
    """What is given to the action's step reaches each step in it, and packages may run code when they are installed."""
    [install] = [step for step in action()["runs"]["steps"] if "pip install" in step["run"]]

    assert dict.fromkeys(SECRETS, "") == {name: install["env"].get(name) for name in SECRETS}


def test_profilectl_is_never_installed_by_its_bare_name():
    """On an index that name may be a stranger's, and no version of it is the one that was looked at."""
    pages = [FOLDER.parents[1] / "README.md", *(FOLDER.parents[1] / "docs").glob("*.md"), *FOLDER.parent.rglob("*")]
    commands = [
        (path.name, line.strip())
        for path in pages
        if path.is_file() and path.suffix in {".md", ".yml", ".service", ""}
        for line in path.read_text().splitlines()
        if re.search(r"pip install [^&]*\bprofilectl\b", line)
    ]
    pinned = re.compile(r"'profilectl\[\w+\] @ https://github\.com/OWNER/profilectl/archive/VERSION\.tar\.gz'")

    assert [] == [command for command in commands if not pinned.search(command[1])]
    assert len(commands) >= 6
