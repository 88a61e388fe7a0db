"""The service and its timer: what systemd thinks of them, and what the service finds when it starts."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from tests.examples.conftest import EXAMPLES

_FOLDER = EXAMPLES / "systemd"


def directives(name: str) -> dict[str, list[str]]:
    """Return a unit's directives; one may stand there several times."""
    found = defaultdict(list)
    for line in (_FOLDER / name).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found[key].append(value)
    return found


def start(machine, encrypted=None):
    """Start the service's command with what the unit gives it, its folders moved below the machine's."""
    unit = directives("profilectl.service")
    moved = {"/srv/": f"{machine.root}/srv/", "/var/lib/": f"{machine.root}/var/lib/", "/usr/local/": ""}
    (credential,) = (value.partition(":")[0] for value in unit["LoadCredentialEncrypted"])
    folder = machine.root / "credentials"
    folder.mkdir(mode=0o700)
    decrypt = ["systemd-creds", "decrypt", f"--name={credential}", str(encrypted), "-"]
    content = subprocess.check_output(decrypt, timeout=60) if encrypted else machine.token.encode()
    (folder / credential).write_bytes(content)
    (folder / credential).chmod(0o400)
    (machine.root / "var" / "lib" / unit["StateDirectory"][0]).mkdir(parents=True, mode=0o700)

    def move(text):
        for there, here in moved.items():
            text = text.replace(there, here)
        return text

    program, *words = shlex.split(move(unit["ExecStart"][0]))
    environ = dict(one.split("=", 1) for line in unit["Environment"] for one in shlex.split(move(line)))
    return machine.run(str(machine.programs / Path(program).name), *words, **environ, CREDENTIALS_DIRECTORY=str(folder))


def test_the_service_finds_its_credential(machine):
    """The name in the unit is the one that profilectl looks for, and the folders suffice."""
    machine.write_roster(machine.root / "srv" / "profilectl")

    done = start(machine)

    assert (0, ["Alice"]) == (done.returncode, machine.live()), done.stderr
    assert [] == list(machine.home.iterdir())


def test_an_encrypted_credential_comes_back(machine, require, is_root):
    """What `systemd-creds encrypt` makes, under the unit's name, is what the service gets."""
    require("systemd", bool(shutil.which("systemd-creds")) and is_root, "there is no systemd-creds, or nobody is root")
    machine.write_roster(machine.root / "srv" / "profilectl")
    encrypted = machine.root / "profilectl.cred"
    # The key of machines without a TPM that is no secret: the others would be made on, and of, this machine.
    command = ["systemd-creds", "encrypt", "--with-key=tpm2-absent", "--name=profilectl", "-", encrypted]
    subprocess.run(command, input=machine.token.encode(), check=True, capture_output=True, timeout=60)

    done = start(machine, encrypted)

    assert machine.token.encode() not in encrypted.read_bytes()
    assert (0, ["Alice"]) == (done.returncode, machine.live()), done.stderr
    other_name = ["systemd-creds", "decrypt", "--name=other", encrypted, "-"]
    assert subprocess.run(other_name, capture_output=True, check=False, timeout=60).returncode != 0


def test_systemd_understands_the_units(machine, require):
    """No unknown directive, no value that systemd would ignore."""
    require("systemd", bool(shutil.which("systemd-analyze")), "systemd-analyze isn't installed")
    for path in _FOLDER.iterdir():
        text = path.read_text().replace("/usr/local/bin/profilectl", str(machine.programs / "profilectl"))
        (machine.root / path.name).write_text(text)

    units = [machine.root / "profilectl.service", machine.root / "profilectl.timer"]
    done = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False, timeout=60
    )

    assert [] == [line for line in done.stderr.splitlines() if str(machine.root) in line or "profilectl" in line]
    assert 0 == done.returncode, done.stderr


def test_what_the_service_is_exposed_to_is_little(require):
    """Systemd's own figure, from 0 to 10: what is left is the network, and files that it may read."""
    require("systemd", bool(shutil.which("systemd-analyze")), "systemd-analyze isn't installed")
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20"]  # 2.0
    done = subprocess.run(
        [*command, _FOLDER / "profilectl.service"], capture_output=True, text=True, check=False, timeout=60
    )

    assert 0 == done.returncode, done.stdout


@pytest.mark.parametrize(
    ("directive", "value"),
    [
        ("Type", "oneshot"),
        ("UMask", "0077"),
        ("SuccessExitStatus", "75"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("LimitCORE", "0"),
    ],
)
def test_the_service_is_confined(directive, value):
    """It may write where its ledger and its state are, and nowhere else; trying later is no failure."""
    assert [value] == directives("profilectl.service")[directive]
