"""Lists of people as files of the desk."""

from __future__ import annotations

import pytest
from PIL import Image

FIRST = [
    "Alice",
    "Bruno",
    "Chloé",
    "Dmitri",
    "Élodie",
    "François",
    "Gustav",
    "Hélène",
    "İpek",
    "Jürgen",
    "Kim",
    "Łukasz",
    "María",
    "Núria",
    "Oisín",
    "Pär",
]
LAST = ["Fast", "König", "O'Brien", "Petrov", "Ünal", "Österberg", "Dvořák", "Müller"]


@pytest.fixture
def forty(desk):
    """A spreadsheet of 40 people as Excel saves it, with pictures of 37 of them."""
    rows = [
        (FIRST[at % 16], LAST[(3 * at + at // 16) % 8], f"p{at:02}@acme.example", f"{1000 + at}") for at in range(40)
    ]
    header = ("First name", "Last name", "E-mail", "Employee #")
    text = "".join(";".join(cells) + "\r\n" for cells in (header, *rows))
    (desk.folder / "people.csv").write_bytes(text.encode("utf-16"))
    (desk.folder / "faces").mkdir()
    for number, (_, _, email, _) in enumerate(rows[:37]):
        Image.effect_noise((90, 80), 20 + 5 * number).save(desk.folder / "faces" / f"{email.upper()}.JPG", "JPEG")
    return desk
