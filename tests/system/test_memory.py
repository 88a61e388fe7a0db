"""The memory of a process that holds secrets: neither dumped when it crashes, nor read by others."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import LONGEST, next_line

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="prctl and /proc are Linux's")

CRASH = """
import ctypes, os, resource, sys
from profilectl.system.memory import forbid_core_dumps, hide_memory
{deed}
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), *resource.getrlimit(resource.RLIMIT_CORE), flush=True)
os.kill(os.getpid(), {number})
"""
OPEN = """
import ctypes, os, sys, time
from profilectl.system.memory import hide_memory
for change, number in ((os.setgroups, []), (os.setgid, 65534), (os.setuid, 65534)):
    change(number)
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # a change of user hides the memory as well
for line in sys.stdin:
    if line == "hide\\n":
        hide_memory()
    print(len(open("/proc/self/mountinfo").read()) > 0, len(os.listdir("/proc/self/fd")) > 2, flush=True)
"""
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def crashed(folder, deed, number, limit="unlimited"):
    """Let a process crash after a deed; return what it had to say before, and whether the kernel dumped its core."""
    script = CRASH.format(deed=deed, number=int(number))
    words = ["sh", "-c", f'ulimit -c {limit} && exec "$@"', "sh", sys.executable, "-c", script]
    with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        flags, *limits = next_line(process).split()
        _, status = os.waitpid(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert -number == process.returncode
    return (int(flags), [int(limit) for limit in limits], os.WCOREDUMP(status))


@pytest.fixture
def dumping(tmp_path, require):
    """A folder in which a process that crashes leaves its core, or whose kernel pipes it into a program."""
    limit = subprocess.run(["sh", "-c", "ulimit -c unlimited"], check=False, capture_output=True).returncode
    require("core dumps", limit == 0, "this user may dump no core")
    require("core dumps", crashed(tmp_path, "", signal.SIGABRT)[2], "the kernel dumps none")
    return tmp_path


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV])
@pytest.mark.parametrize("deed", ["forbid_core_dumps()", "hide_memory()"])
def test_a_crash_leaves_no_core(dumping, number, deed):
    """Either way will do, for a file and for a pipe."""
    cores = sorted(dumping.iterdir())

    assert not crashed(dumping, deed, number)[2]
    assert cores == sorted(dumping.iterdir())


def test_the_limit_is_one_that_holds_for_pipes_too(dumping):
    """Of a limit of zero the kernel takes no notice where it pipes cores into a program; one byte stops it."""
    assert (1, [1, 1], False) == crashed(dumping, "forbid_core_dumps()", signal.SIGABRT)


def test_a_limit_that_can_t_be_raised_is_made_up_for(tmp_path):
    """Where zero is all that is allowed, the process hides from the beginning."""
    assert (0, [0, 0], False) == crashed(tmp_path, "forbid_core_dumps()", signal.SIGABRT, limit=0)


def test_what_it_starts_dumps_nothing_either(dumping):
    """The limit goes along to children, which may hold a draft."""
    script = (
        "from profilectl.system import child, memory; memory.forbid_core_dumps(); "
        "print(child.run(['sh', '-c', 'ulimit -Hc; ulimit -Sc'], seconds=60, largest=100))"
    )
    words = ["sh", "-c", 'ulimit -c unlimited; exec "$@"', "sh", sys.executable, "-c", script]
    done = subprocess.run(words, cwd=dumping, capture_output=True, text=True, check=True, timeout=LONGEST)

    assert "output=b'0\\n0\\n'" in done.stdout  # in the shell's blocks of 512 bytes


def test_no_other_process_of_the_user_looks_in(require):
    """Variables and memory can't be read any more; what the program itself reads in /proc still can."""
    require("setpriv", os.geteuid() == 0 and shutil.which("setpriv") is not None, "it takes root and setpriv")
    words = [sys.executable, "-c", OPEN]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def look(line):
            """Let the process answer a line; return what a program of the same user can then read of it."""
            process.stdin.write(line)
            process.stdin.flush()
            assert "True True\n" == next_line(process)
            files = (f"/proc/{process.pid}/{name}" for name in ("environ", "maps"))
            read = [subprocess.run([*NOBODY, "cat", file], capture_output=True, check=False) for file in files]
            return [done.returncode for done in read], Path(f"/proc/{process.pid}/mem").stat().st_uid

        before, after = look("wait\n"), look("hide\n")
        process.communicate(timeout=LONGEST)

    assert (([0, 0], 65534), ([1, 1], 0)) == (before, after)
