"""Who runs the program, as the record keeps it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from profilectl.system import host
from tests.private_machine import why_not

ACTOR = [sys.executable, "-c", "from profilectl.system import host; print(host.actor())"]
WHOLE = "         0          0 4294967295\n"


@pytest.mark.parametrize(
    ("login", "uid_map", "expected"),
    [
        ("4294967295", WHOLE, ""),
        (str(os.getuid()), WHOLE, ""),
        ("61234", WHOLE, " (login uid 61234)"),
        (None, "         0       1001          1\n", " (uid map 0 1001 1)"),
        ("61234", "         0       1001          1\n", " (login uid 61234, uid map 0 1001 1)"),
        (None, None, ""),
    ],
)
def test_the_record_says_what_makes_a_name_doubtful(monkeypatch, tmp_path, login, uid_map, expected):
    """Another login than the uid, and a user namespace; a system without /proc leaves both out."""
    for name, text in {"loginuid": login, "uid_map": uid_map}.items():
        if text is not None:
            (tmp_path / name).write_text(text)
    monkeypatch.setattr(host, "_PROCESS", tmp_path)

    assert host.user_at_host() + expected == host.actor()
    assert host.is_by_this_user(host.actor())


def test_root_of_a_user_namespace_is_told_from_root(require):
    """Whoever may make a namespace is root in it; the record shows the map to the uid outside."""
    reason = why_not()
    require("namespaces", reason is None, str(reason))
    command = ["unshare", "--user", "--map-root-user", *ACTOR]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    require("namespaces", done.returncode == 0, done.stderr)

    assert (f"root@{host.host_name()}", True) == (done.stdout.partition(" ")[0], "uid map 0 0 1)" in done.stdout)
