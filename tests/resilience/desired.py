"""What is wanted on this stage: rosters and pictures."""

from __future__ import annotations

import io

from PIL import Image

EARLIER = {"anna": "Anna", "alice": "Alice", "bruno": "Bruno", "emil": "Emil", "fay": "Fay Before", "hugo": "Hugo"}
RENAMED = EARLIER | {"fay": "Fay"}
WITH_INA = RENAMED | {"ina": "Ina"}
WANTED = {  # ina's create was never answered, hugo's profile is gone, fay's former one is due, emil leaves
    "anna": "Anna",
    "alice": "Alice Anew",
    "bruno": "Bruno",
    "dora": "Dora",
    "fay": "Fay",
    "hugo": "Hugo",
    "ina": "Ina",
}
CHANGED = WANTED | {"alice": "Alice Again", "dora": "Dorothea"}


def roster(names: dict[str, str]) -> str:
    text = "version = 1\n[policy]\nmax_delete_ratio = 0.5\n"  # of a team of six, two may be lost at once
    text += '[brands.acme]\nhandle = "acmecare"\n[defaults]\nkind = "human"\navatar = "face.png"\n'
    for key, name in names.items():
        text += f'[agents.{key}]\nname = "{name}"\n' + ('avatar = "bruno.png"\n' if key == "bruno" else "")
    return text


def picture(colour: tuple[int, int, int]) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(content, "PNG")
    return content.getvalue()
