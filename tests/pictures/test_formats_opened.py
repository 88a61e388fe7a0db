from __future__ import annotations

import re
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "profilectl"


def test_pillow_opens_named_formats_only():
    """Wherever Pillow opens bytes, the formats are given: it knows dozens, and that of EPS starts another program."""
    calls = [
        (path.name, call)
        for path in PACKAGE.rglob("*.py")
        for call in re.findall(r"\bImage\.open\(.*", path.read_text("utf-8"))
    ]

    assert {"decode.py", "bubble.py", "images.py", "media.py", "sheet.py"} == {name for name, _ in calls}
    assert [] == [call for _, call in calls if "formats=" not in call]
