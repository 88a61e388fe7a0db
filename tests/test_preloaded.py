"""A run by a process that has loaded the program before is a run as its users have it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest

from tests.preloaded import PROGRAM

ROSTER = 'version = 1\n[brands.acme]\nhandle = "acmecare"\n[agents.alice]\nname = "Alice"\nkind = "human"\n'
TELL = """
import ctypes, fcntl, gc, json, locale, os, resource, signal, sys, tempfile, threading, time, warnings

def of(stream):
    names = ("name", "mode", "encoding", "errors", "line_buffering", "write_through", "closed")
    facts = {name: getattr(stream, name) for name in names}
    return facts | {"buffer": type(stream.buffer).__name__, "fd": stream.fileno(), "isatty": stream.isatty()}

def opens():
    end = {}
    for number in range(256):
        try:
            end[number] = fcntl.fcntl(number, fcntl.F_GETFL)
        except OSError:
            pass
    return end

print(json.dumps({
    "streams": [of(stream) for stream in (sys.stdin, sys.stdout, sys.stderr)],
    "originals": [sys.stdin is sys.__stdin__, sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__],
    "descriptors": opens(),
    "argv": sys.argv,
    "path": sys.path,
    "main": [__name__, __file__, sys.modules["__main__"].__file__],
    "cwd": os.getcwd(),
    "umask": os.umask(0),
    "environ": dict(os.environ),
    "seen by C": ctypes.CDLL(None, use_errno=True).getenv(b"NEW") != 0,
    "handlers": {number: str(signal.getsignal(number)).partition(" at ")[0] for number in signal.valid_signals()},
    "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "group": [os.getpgid(0) == os.getpgid(os.getppid()), os.getsid(0)],
    "limits": [resource.getrlimit(number) for number in range(10)],
    "time zone": [time.tzname, time.timezone, time.localtime(0).tm_hour],
    "folder": tempfile.gettempdir(),
    "locale": [locale.setlocale(locale.LC_ALL), locale.getencoding()],
    "collector": [gc.isenabled(), gc.get_threshold(), gc.get_debug()],
    "threads": [thread.name for thread in threading.enumerate()],
    "warnings": [str(one) for one in warnings.filters],
    "stdin": sys.stdin.read(),
}))
"""
ENDINGS = {
    "0": "",
    "a code": "import sys; sys.exit(7)",
    "a large code": "import sys; sys.exit(256 + 3)",
    "a sentence": "import sys; sys.exit('so it ends')",
    "an exception": "1 / 0",
    "a signal": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "its own SIGTERM": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "Ctrl-C": "import os, signal; os.kill(os.getpid(), signal.SIGINT)",
    "at once": "import os; print('never'); os._exit(9)",
    "atexit": "import atexit, sys; atexit.register(print, 'last'); print('first'); sys.exit(4)",
    "a thread": (
        "import sys, threading, time; work = lambda: (time.sleep(0.1), print('worked'))\n"
        "threading.Thread(target=work).start(); sys.exit(5)"
    ),
    "a child": "import subprocess, sys; sys.exit(subprocess.run(['sh', '-c', 'echo hello; exit 6']).returncode)",
    "closed output": "import os, sys; print('never'); os.close(1); sys.exit(0)",
    "warned": "import sys, warnings; warnings.warn('beware'); print('é\\r\\n'); sys.exit(0)",
}


@pytest.fixture
def both(preloaded, tmp_path):
    """Return how a run ends, anew and by the process that has loaded the program."""

    def run(*words, module="profilectl", stdin="", **variables):
        environ = {**os.environ, **variables}
        assert preloaded.is_for(environ)
        command = [sys.executable, "-m", module, *words]
        streams = {"input": stdin, "capture_output": True, "text": True}
        anew = subprocess.run(command, cwd=tmp_path, env=environ, **streams, timeout=60, check=False)
        forked = preloaded.run(words, cwd=tmp_path, env=environ, stdin=stdin, module=module)
        return tuple((done.returncode, done.stdout, done.stderr) for done in (anew, forked))

    return run


def test_a_run_has_what_a_new_process_has(both, tmp_path):
    """Streams, open files, arguments, where modules are found, folder, environment, signals, limits, threads."""
    (tmp_path / "tell.py").write_text(TELL)
    former = os.umask(0o027)
    try:
        anew, forked = both("a", "\udcff", "", module="tell", stdin="é\n" * 50_000, NEW="\udcfe", TZ="Asia/Tokyo")
    finally:
        os.umask(former)

    assert (0, "") == (forked[0], forked[2])
    assert json.loads(anew[1]) == json.loads(forked[1])


@pytest.mark.parametrize("code", ENDINGS.values(), ids=ENDINGS)
def test_a_run_ends_as_a_new_process_does(both, tmp_path, code):
    """The same code or signal, and the same last words."""
    (tmp_path / "deed.py").write_text(code)
    anew, forked = both(module="deed")

    assert anew[:2] == forked[:2]
    assert last_words(anew) == last_words(forked)


def last_words(done):
    """Return what was said, without the lines of a traceback that are about where Python was."""
    return [line for line in done[2].splitlines() if not line.startswith(" ") or "deed.py" in line]


@pytest.mark.parametrize(
    "words",
    [
        ("--version",),
        ("--help",),
        ("nothing",),
        ("roster", "check"),
        ("roster", "list", "--json"),
        ("diff", "--roster", "elsewhere.toml"),
        ("auth", "status"),
        ("ledger", "show"),
        ("sync", "--sandbox"),
    ],
    ids=" ".join,
)
def test_a_command_does_the_same(both, tmp_path, words):
    """Code, result and talk."""
    (tmp_path / "roster.toml").write_text(ROSTER)
    anew, forked = both(*words)

    assert anew == forked


def test_runs_share_nothing(preloaded, tmp_path):
    """What one changes in itself no other one sees, nor do they draw the same lots."""
    (tmp_path / "deed.py").write_text(
        "import os, random, secrets, sys, uuid; print(hasattr(sys, 'changed'), 'CHANGED' in os.environ)\n"
        "sys.changed = 1; os.environ['CHANGED'] = '1'; print(random.random(), secrets.token_hex(), uuid.uuid4())"
    )
    runs = [preloaded.run((), cwd=tmp_path, env=os.environ, module="deed").stdout.splitlines() for _ in range(3)]

    assert ["False False"] * 3 == [fresh for fresh, _ in runs]
    assert 9 == len({lot for _, lots in runs for lot in lots.split()})


def test_a_run_is_nothing_that_another_test_left_behind(preloaded, tmp_path):
    """`tests.leftovers` knows what a test has started by the home that the kernel shows: here it is nobody's."""
    (tmp_path / "deed.py").write_text("print(open('/proc/self/environ').read())")
    shown = preloaded.run((), cwd=tmp_path, env=os.environ, module="deed").stdout.split("\0")

    assert ["HOME=/nonexistent"] == [line for line in shown if line.startswith("HOME=")]


def test_runs_at_the_same_time(preloaded, tmp_path):
    """Each thread that asks gets the output of its own run."""
    (tmp_path / "deed.py").write_text("import sys, time; time.sleep(0.2); print(sys.argv[1] * 100_000)")
    outputs = {}

    def run(word):
        outputs[word] = preloaded.run((word,), cwd=tmp_path, env=os.environ, module="deed").stdout

    threads = [threading.Thread(target=run, args=(word,)) for word in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert {word: word * 100_000 + "\n" for word in "abcd"} == outputs


def test_input_that_nobody_reads(preloaded, tmp_path):
    """More than a pipe holds: whoever writes it isn't held up."""
    (tmp_path / "deed.py").write_text("")

    assert 0 == preloaded.run((), cwd=tmp_path, env=os.environ, module="deed", stdin="x" * 1_000_000).returncode


def test_a_run_that_goes_on_for_too_long_is_killed(preloaded, tmp_path):
    """As `subprocess.run` does, and the next one is undisturbed."""
    (tmp_path / "deed.py").write_text("import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(600)")
    with pytest.raises(subprocess.TimeoutExpired):
        preloaded.run((), cwd=tmp_path, env=os.environ, module="deed", timeout=1)

    assert 0 == preloaded.run(("--version",), cwd=tmp_path, env=os.environ).returncode
    if pid := (tmp_path / "pid").read_text():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


@pytest.mark.parametrize(
    "variable", ["PYTHONIOENCODING", "PYTHONPATH", "PYTHONUTF8", "LC_ALL", "LANG", "LD_PRELOAD", "FORCE_COLOR"]
)
def test_what_an_interpreter_reads_at_its_start_asks_for_a_new_one(preloaded, variable):
    """Also when it is gone."""
    assert not preloaded.is_for({**os.environ, variable: "another"})
    assert preloaded.is_for({**os.environ, "NO_COLOR": "1", "PROFILECTL_SANDBOX": "1"})


def test_all_may_be_started_anew(preloaded, monkeypatch):
    """Where somebody asks for it."""
    monkeypatch.setenv("PROFILECTL_TEST_FRESH", "1")

    assert not preloaded.is_for(os.environ)
    assert [sys.executable, "-m", "profilectl"] == PROGRAM
