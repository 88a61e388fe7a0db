"""Real keys of ssh, of which one signs a record's checkpoints."""

from __future__ import annotations

import subprocess


def make_ssh_key(path, passphrase=""):
    """Make a key and, beside it, its public half."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", path], check=True)
