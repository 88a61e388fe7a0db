"""What the screens show: a team whose names are written in six scripts, before and after a change of its roster."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from profilectl.cli.local_sandbox import CUSTOMER, LocalX
from profilectl.pictures.placeholders import initials_portrait
from tests.photographs import photograph_like_portrait

PROGRAM = (sys.executable, "-m", "profilectl", "--sandbox")
HANDLE = "acmecare"

_HEAD = f"""\
version = 1

[brands.acme]
handle = "{HANDLE}"

[policy]
max_deletes = 1

[defaults]
kind = "human"

"""
BEFORE = {
    "alice": "Alice Fast, Care",
    "sara": "سارة محمد، الفواتير",
    "noa": "נועה לוי, משלוחים",
    "kishore": "किशोर शर्मा, सहायता",
    "tom": "Tom B., Billing",
}
AFTER = {
    "alice": "Alice F., Care",
    "sara": "سارة م.، خدمة العملاء",
    "noa": "נועה ל., שירות לקוחות",
    "kishore": "किशोर श., सहायता",
    "wang": "王美玲, 客户服务",
    "nadia": "Nadia R. 👩🏽‍💻 Roaming 🇫🇷",
}
_SIZE = (420, 560)  # pixels of the photographs
_QUESTION = "مرحبا، لم تصل الفاتورة بعد. Order 4711, please?"
_ANSWER = "أهلا، أرسلناها الآن. It is on its way 📦"


@dataclass(frozen=True)
class Scene:
    """A command whose screen is kept.

    Attributes:
        name: of its files.
        words: the command line after `profilectl`.
        world: the folder that it starts from.
        answer: what is typed at its question.
    """

    name: str
    words: tuple[str, ...]
    world: str = "after"
    answer: str = ""

    @property
    def line(self) -> str:
        """The command as a person types it."""
        return " ".join(["profilectl", *(f'"{word}"' if " " in word else word for word in self.words)])


SCENES = (
    Scene("diff", ("diff",), "before"),
    Scene("sync", ("sync",), "before", "y"),
    Scene("profiles", ("profiles", "list")),
    Scene("send", ("send", "--as", "sara", "--to", f"@{CUSTOMER}", "هل وصلت الفاتورة؟ Order 4711 👍🏽"), answer="y"),
    Scene("thread", ("thread", f"@{CUSTOMER}")),
    Scene("doctor", ("doctor",)),
)


@dataclass
class Worlds:
    """Folders to start from; each scene is played in a copy of one of them."""

    place: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        home = self.place / "home"
        home.mkdir()
        self.environment = {**kept, "HOME": str(home), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        folder = self.place / "before"
        _write_roster(folder, BEFORE)
        self.run(folder, "sync", "--yes", "--jobs", "1")
        _write_roster(folder, AFTER)
        shutil.copytree(folder, self.place / "after")
        self._converse(self.place / "after")

    def copy(self, scene: Scene, name: str) -> Path:
        """Return a fresh copy of the folder that a scene starts from."""
        return Path(shutil.copytree(self.place / scene.world, self.place / name / "acme"))

    def _converse(self, folder: Path) -> None:
        self.run(folder, "sync", "--yes", "--jobs", "1")
        sent = "send", "--to", f"@{CUSTOMER}", "--yes", "--as"
        self.run(folder, *sent, "alice", "We are open from 7 to 22 now.")
        with LocalX(folder / ".profilectl" / "sandbox") as local:
            local.world.messages.receive(CUSTOMER, HANDLE, _QUESTION)
        self.run(folder, *sent, "sara", _ANSWER)

    def run(self, folder: Path, *words: str) -> str:
        """Run a command in a folder, and return what it printed."""
        command = (*PROGRAM, *words)
        done = subprocess.run(
            command, cwd=folder, env=self.environment, check=True, capture_output=True, encoding="utf-8"
        )
        return done.stdout


def _write_roster(folder: Path, names: dict[str, str]) -> None:
    pictures = folder / "avatars"
    pictures.mkdir(parents=True, exist_ok=True)
    lines = []
    for number, (key, name) in enumerate(names.items()):
        lines.append(f'[agents.{key}]\nname = "{name}"\navatar = "avatars/{key}.jpg"\n')
        picture = pictures / f"{key}.jpg"
        if not picture.exists():
            drawn = key == "wang"
            picture.write_bytes(initials_portrait("Wang") if drawn else photograph_like_portrait(number, _SIZE))
    (folder / "roster.toml").write_text(_HEAD + "\n".join(lines), encoding="utf-8")
