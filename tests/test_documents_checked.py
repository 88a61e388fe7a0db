"""Every document is held against its schema wherever a test makes one: what is printed, and what mustn't be."""

from __future__ import annotations

import copy
import json
import shlex
import subprocess
import sys

import pytest
from jsonschema import Draft202012Validator, ValidationError

from profilectl.api.endpoints import KINDS
from profilectl.cli.main import run
from profilectl.errors import ExitCode
from profilectl.render import json_documents
from tests import schemas
from tests.patience import next_line

SCHEMAS = schemas.published()
REFUSED = pytest.fail.Exception

LINES = {
    "init": "init --handle acmecare",
    "check": "roster check",
    "compliance": "roster check --compliance",
    "roster": "roster list",
    "agent": "roster show alice",
    "edit": "roster set alice title=Lead",
    "import": "roster import people.csv --dry-run",
    "auth": "auth list",
    "plan": "diff",
    "sync": "sync --yes",
    "profiles": "profiles list",
    "send": "send --as alice --to 7 Hello --dry-run",
    "thread": "thread @customer",
    "inbox": "inbox",
    "feedback": "feedback report",
    "doctor": "doctor",
    "error": "profiles destroy 1 --yes",
    "forget": "profiles forget alice --yes",
    "adopt": "profiles adopt alice ID --yes",
    "destroy": "profiles destroy ID --yes",
    "offboard": "offboard bruno --yes",
    "recover": "recover --yes",
    "faults": """sandbox faults '{"kind": "slow"}'""",
    "ledger": "ledger show",
    "audit": "audit log",
    "who": "audit who 'acmecare bot'",
    "sent": "audit sent",
    "verify": "audit verify",
    "checkpoint": "audit checkpoint",
    "pruned": "audit prune --before 2020-01-01 --yes",
    "reconcile": "audit reconcile",
    "export": "audit export --since 2026-01-01 --until 2099-12-31",
    "copy": "ledger backup copy.db",
    "unlock": "ledger unlock",
    "restored": "ledger accept-restore",
    "grants": "ledger grants",
    "reset": "sandbox reset",
}
"""What prints each document, in an order in which each has something to tell."""


@pytest.fixture
def gallery(tmp_path, monkeypatch, capsys):
    """One of each document, as the program prints it; but for that of the server, which goes on."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", ".ssh/id_ed25519"], check=True)
    (tmp_path / "people.csv").write_text("key,name\nalice,Alicia F.\ndora,Dora P.\n")
    shown = {}

    def say(line):
        profile_id = shown["forget"]["profile_id"] if "forget" in shown else ""
        run(["--sandbox", "--json", *(profile_id if word == "ID" else word for word in shlex.split(line))])
        return json.loads(capsys.readouterr().out)

    for name, line in LINES.items():
        shown[name] = say(line)
        if name == "adopt":
            shown["forget"] = say(LINES["forget"])  # it has to be a stranger again to be destroyed
    return shown


def test_every_document_is_printed(gallery):
    """By the command that it is the document of."""
    assert {name: f"profilectl.{name}/1" for name in LINES} == {name: one["schema"] for name, one in gallery.items()}
    assert {f"profilectl.{name}/1" for name in (*LINES, "sandbox")} == set(SCHEMAS)


def test_a_server_prints_its_document_and_goes_on(tmp_path):
    """Before anybody asks it for anything."""
    words = [sys.executable, "-m", "profilectl", "sandbox", "serve", "--port", "0", "--json", "--quiet"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        document = json.loads(next_line(process))
        code = process.poll()
        process.terminate()
    schemas.validate(document)

    assert code is None
    assert ("profilectl.sandbox/1", ["acmecare"]) == (
        document["schema"],
        [one["handle"] for one in document["accounts"]],
    )


def places(document, path=()):
    """Yield every object of a document, with its place."""
    if isinstance(document, dict):
        yield path, document
        for key, value in document.items():
            yield from places(value, (*path, key))
    elif isinstance(document, list):
        for place, one in enumerate(document):
            yield from places(one, (*path, place))


def without(document, path, key):
    """Return a document that lacks a key in the object at that place."""
    changed = part = copy.deepcopy(document)
    for step in path:
        part = part[step]
    part.pop(key)
    return changed


def with_more(document, path):
    """Return a document that has a key more in the object at that place."""
    changed = part = copy.deepcopy(document)
    for step in path:
        part = part[step]
    part["novelty"] = None
    return changed


def test_no_key_can_come_or_go_unseen(gallery):
    """In no object of any document: a test that prints it fails until the schema knows."""
    accepted = []
    for document in gallery.values():
        schemas.validate(document)
        for path, part in places(document):
            if path[-1:] in {("detail",), ("labels",)}:  # which differ from event to event, and are free
                continue
            changed = [with_more(document, path)]
            if path != ("counts", "missing"):  # the one object whose keys come and go
                # that a document is about the local X is only told where it is so
                changed += [without(document, path, key) for key in part if (path, key) != ((), "sandbox")]
            accepted += [(document["schema"], path) for one in changed if is_accepted(one)]

    assert [] == accepted


def is_accepted(document):
    try:
        schemas.validate(document)
    except REFUSED:
        return False
    return True


def test_a_reader_accepts_a_key_more_and_misses_a_key_less(gallery):
    """With the schemas as they are published."""
    for document in gallery.values():
        reader = Draft202012Validator(SCHEMAS[document["schema"]])
        for path, _ in places(document):
            if path != ("counts", "missing"):
                reader.validate(with_more(document, path))
        with pytest.raises(ValidationError):
            reader.validate(without(document, (), next(reversed(document))))


SYNC = json_documents.sync("sha256:" + "0" * 64, [], ExitCode.DONE, dict.fromkeys(KINDS, 0))
RESULT = {"brand": "acme", "agent": "alice", "action": "create", "why": ["new"], "status": "done"}
RESULT |= {"profile_id": "1", "error": None, "command": None}


@pytest.mark.parametrize(
    "change",
    [
        {"action": "update"},
        {"status": "ok"},
        {"profile_id": 1},
        {"profile_id": "1e9"},
        {"agent": None},
        {"error": "no"},
        {"error": {"kind": "cosmic-ray", "message": "", "hint": None, "retry_at": None}},
        {"error": {"kind": "network", "message": "", "hint": None, "retry_at": "2026-11-23T10:00:00+01:00"}},
    ],
    ids=str,
)
def test_another_value_is_refused(change):
    """A word that isn't listed, a number for an id, a time that isn't in UTC."""
    schemas.validate(SYNC | {"results": [RESULT]})
    with pytest.raises(REFUSED):
        schemas.validate(SYNC | {"results": [RESULT | change]})


@pytest.mark.parametrize("document", [{}, [], None, {"schema": "profilectl.sync/2"}, {"schema": "../plan/1"}], ids=str)
def test_what_no_schema_is_about_is_refused(document):
    """A document without a name, or with one that nobody has published."""
    with pytest.raises(REFUSED):
        schemas.validate(document)


# That every test looks


def test_a_document_of_this_process_is_held_against_its_schema(monkeypatch, capsys):
    """Whichever test makes it: the program's own net, which catches every exception, lets the failure through."""
    monkeypatch.setattr(json_documents, "error", lambda *_: {"schema": "profilectl.error/1", "error": {}})

    with pytest.raises(REFUSED, match=r"profilectl.error/1 at \$.error"):
        run(["nonsense", "--json"])
    assert "" == capsys.readouterr().out


LINE = json_documents.dump(SYNC)


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (["sync", "--json"], LINE.replace('"exit_code"', '"exit_kode"')),
        (["sync"], LINE.replace('"exit_code"', '"exit_kode"')),
        (["sync", "--json"], f"{LINE}\n{LINE}\n"),
        (["sync", "--json"], f"done\n{LINE}\n"),
        (["diff", "--format", "json"], "create\tacme\talice\n"),
        (["diff", "--format=json"], LINE.replace("sha256", "ŝha256")),
    ],
    ids=["wrong", "wrong though nobody asked", "twice", "talk beside it", "no document", "not ASCII"],
)
def test_what_another_process_prints_is_held_against_its_schema(words, output):
    """And with --json there is one document on stdout and nothing else."""
    schemas.check_output(words, f"{LINE}\n")
    schemas.check_output(["sync", "--json"], "")
    with pytest.raises(REFUSED):
        schemas.check_output(words, output)


def test_what_a_process_tells_at_its_end_is_held_against_its_schema():
    """For those that a test talks with while they run."""
    command = [sys.executable, "-c", f"print({LINE.replace('digest', 'digits')!r})", "--json"]
    with schemas.Process(command, stdout=subprocess.PIPE, text=True) as process, pytest.raises(REFUSED):
        process.communicate(timeout=60)


def test_the_program_itself_never_reads_them(tmp_path):
    """They cost a user nothing: no file of theirs is opened, and no library for them is imported."""
    script = """
import sys
opened = []
sys.addaudithook(lambda event, words: event == "open" and opened.append(str(words[0])))
from profilectl.cli.main import run
run(["--sandbox", "--json", "init"])
print(*[path for path in opened if "/schemas/" in path], *sys.modules.keys() & {"jsonschema", "importlib.resources"})
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )

    assert "" == done.stdout.splitlines()[1]
