"""This machine with an /etc, a /srv and a few folders of its own, which only the processes in it see."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHECKOUT = Path(__file__).parent.parent


def why_not() -> str | None:
    """Return why this machine can't have a private side, None when it can."""
    if os.geteuid() != 0:
        return "only root may mount"
    missing = [name for name in ("unshare", "setpriv", "mount") if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed"
    command = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return (
        None
        if subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
        else "mounts are forbidden"
    )


@dataclass
class PrivateMachine:
    """Folders that stand in for the machine's own while a command runs; nothing outside `root` is ever written.

    Attributes:
        root: where the stand-ins are kept.
        places: the machine's folders that have one.
    """

    root: Path
    places: list[str] = field(default_factory=lambda: ["/srv", "/var/lib", "/usr/local/bin"])

    def __post_init__(self) -> None:
        shutil.copytree("/etc", self.at("/etc"), symlinks=True, ignore_dangling_symlinks=True)
        for place in self.places:
            self.at(place).mkdir(parents=True)
        self.places.append("/etc")

    def at(self, path: str) -> Path:
        """Return where a path of the private machine lies on the real one."""
        return self.root / "machine" / path.lstrip("/")

    def add_user(self, name: str, uid: int, home: str = "/nonexistent") -> None:
        """Make an account; several may share a uid."""
        for file, line in {
            "passwd": f"{name}:x:{uid}:{uid}::{home}:/bin/sh",
            "shadow": f"{name}:*:20000:0:99999:7:::",
            "group": f"{name}:x:{uid}:",
        }.items():
            with self.at(f"/etc/{file}").open("a") as lines:
                lines.write(f"{line}\n")

    def write(self, path: str, text: str, mode: int = 0o644, uid: int = 0) -> Path:
        """Write a file, in folders that belong to root and that everybody may look into."""
        file = self.at(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        os.chown(file, uid, uid)
        return file

    def run(
        self, *words: str, uid: int = 0, gid: int | None = None, stdin: str = "", **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as a user of the private machine, with nothing in its environment but what is given."""
        return subprocess.run(
            self._command(words, uid, gid, environ),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(
        self, *words: str, uid: int, gid: int | None = None, streams: dict[str, Any], **environ: str
    ) -> subprocess.Popen[str]:
        """Start such a command, which the caller ends."""
        return subprocess.Popen(self._command(words, uid, gid, environ), text=True, **streams)

    def _command(self, words: tuple[str, ...], uid: int, gid: int | None, environ: dict[str, str]) -> list[str]:
        variables = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/nonexistent"} | environ
        become = ["setpriv", f"--reuid={uid}", f"--regid={uid if gid is None else gid}", "--clear-groups", "--"]
        command = ["env", "-i", *(f"{name}={value}" for name, value in variables.items()), *words]
        script = "\n".join(["set -e", *self._mounts(), "cd /", shlex.join(["exec", *become, *command])])
        return ["unshare", "--mount", "sh", "-c", script]

    def _mounts(self) -> Iterator[str]:
        """Yield what makes the folders the machine's, and this program readable for all its users."""
        for place in self.places:
            yield shlex.join(["mount", "--bind", str(self.at(place)), place])
        hidden: dict[Path, list[Path]] = {}
        for path in sorted({Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve(), _CHECKOUT}):
            closed = next((one for one in reversed(path.parents) if not one.stat().st_mode & 0o001), None)
            if closed is not None:
                hidden.setdefault(closed, []).append(path)
        for closed, paths in hidden.items():
            yield shlex.join(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/mnt"])
            for number, path in enumerate(paths):
                yield f"mkdir /mnt/{number}; " + shlex.join(["mount", "--bind", str(path), f"/mnt/{number}"])
            yield shlex.join(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(closed)])
            for number, path in enumerate(paths):
                yield shlex.join(["mkdir", "-p", str(path)])
                yield shlex.join(["mount", "--bind", f"/mnt/{number}", str(path)])
