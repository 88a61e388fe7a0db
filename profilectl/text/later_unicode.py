"""Characters that Unicode gained since the version of the oldest Python: the same verdict on every one.

Python 3.11 knows Unicode 14, 3.14 knows 16. Without this table a name that is written with a newer letter would be
right on one machine and refused on the next. What is reserved for ideographs (planes 2 and 3, UAX 44) and pictographs
(UTS 51) counts as such before it is assigned.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from functools import cache

from msgspec import Struct

NEWEST = "18.0"
"""The Unicode version up to which every Python judges alike."""

# From UnicodeData.txt of Unicode 18.0: what 14.0 doesn't have. A line has a general category, upper and lower case and
# kinds of punctuation, number and symbol put together, the first word of the names where it is a script, and the code
# points. Planes 2 and 3 aren't in it.
_SINCE_14 = """
Cf EGYPTIAN: 13439-1343F
Lm -: 558 58B-58C 208F 209D-209F A7F1 107BB-107BF 10D4E 10D6F 10EC5 11DD9 16D40-16D42 16D6B-16D6C 16FF2-16FF3
  1DFCD-1DFFF 1E030-1E06D 1E4EB 1E6FF
Lo -: 1D6A6
Lo ARABIC: 88F 10EC2-10EC4 10EC6-10EC7 10ED9-10EEE
Lo BENGALI: 11DF1
Lo BERIA: 16EA0-16EB8 16EBB-16ED3
Lo CYRILLIC: 1C89-1C8A
Lo DEVANAGARI: 11B0A
Lo EGYPTIAN: 1342F 13441-13446 13460-143FA
Lo GARAY: 10D4A-10D4D 10D4F-10D65 10D70-10D85
Lo GURUNG: 16100-1611D
Lo HIRAGANA: 1B123 1B132
Lo JURCHEN: 18E00-19191 191A0-191D2
Lo KANNADA: CDC
Lo KATAKANA: 1B124-1B128 1B155 1B168
Lo KAWI: 11F02 11F04-11F10 11F12-11F33
Lo KHITAN: 18CD6-18CDA 18CFF
Lo KHOJKI: 1123F-11240
Lo KIRAT: 16D43-16D6A
Lo LATIN: A7CB-A7CF A7D2 A7D4 A7DA-A7DD A7E2 AB6C-AB6D 1DF1F-1DF81 1DF90-1DF96
Lo NAG: 1E4D0-1E4EA
Lo OL: 1E5D0-1E5ED 1E5F0
Lo SIDETIC: 10940-10959
Lo SUNUWAR: 11BC0-11BE0
Lo TAI: 1E6C0-1E6DE 1E6E0-1E6E2 1E6E4-1E6E5 1E6E7-1E6ED 1E6F0-1E6F4 1E6FE
Lo TANGUT: 187F8-187FF 18D09-18D20 18D80-18DF2
Lo TELUGU: C5C
Lo TODHRI: 105C0-105F3
Lo TOLONG: 11DB0-11DD8 11DDA-11DDB
Lo TULU: 11380-11389 1138B 1138E 11390-113B5 113B7 113D1 113D3
Mc GURUNG: 1612A-1612C
Mc KANNADA: CF3
Mc KAWI: 11F03 11F34-11F35 11F3E-11F3F 11F41
Mc MUSICAL: 1D250-1D252 1D25F 1D280-1D281
Mc SHARADA: 11B61 11B65 11B67
Mc TULU: 113B8-113BA 113C2 113C5 113C7-113CA 113CC-113CD 113CF
Mn ARABIC: 897 10ECB-10ECF 10EF0-10EFF
Mn BENGALI: 11DF0
Mn COMBINING: 1ACF-1AF0 1E08F
Mn EGYPTIAN: 13440 13447-13455
Mn GARAY: 10D69-10D6D
Mn GURUNG: 1611E-16129 1612D-1612F
Mn HEBREW: 5C8-5C9
Mn KAWI: 11F00-11F01 11F36-11F3A 11F40 11F42 11F5A
Mn KHOJKI: 11241
Mn LAO: ECE
Mn MUSICAL: 1D127-1D128 1D25B-1D25C
Mn NAG: 1E4EC-1E4EF
Mn OL: 1E5EE-1E5EF
Mn ORIYA: B53-B54
Mn SHARADA: 11B60 11B62-11B64 11B66
Mn TAI: 1E6E3 1E6E6 1E6EE-1E6EF 1E6F5
Mn TULU: 113BB-113C0 113CE 113D0 113D2 113E1-113E2
No -: 10D40-10D49 116D0-116E3 11BF0-11BF9 11DE0-11DE9 11F50-11F59 1246F 12475-1247F 12550-12686 16130-16139
  16D70-16D79 16FF4-16FF6 1CCF0-1CCF9 1D2C0-1D2D3 1E4F0-1E4F9 1E5F1-1E5FA
Po -: 1B4E-1B4F 1B7F 2E60-2E63 10D6E 10ED0 113D4-113D5 113D7-113D8 11B00-11B09 11BE1 11F43-11F4F 16D6D-16D6F
  1E5FF
So -: 20C1-20C4 2427-2429 2B96 2FFC-2FFF 31E4-31E5 31EF FBC3-FBD2 FD90-FD91 FDC8-FDCE 10D8E-10D8F 10EC9-10ECA
  10ED1-10ED8 1CC00-1CCEF 1CCFA-1CCFC 1CD00-1CEB3 1CEBA-1CED0 1CED2-1CED4 1CEDD-1CEFD 1D1EB-1D1FF 1D253-1D25A
  1D25D-1D25E 1D260-1D27F 1DB00-1DB1C 1F1AE 1F6D8-1F6D9 1F6DC 1F774-1F77F 1F7D9-1F7DB 1F7F1-1F7FF 1F8B2-1F8BB
  1F8C0-1F8C1 1F8D0-1F8D8 1FA54-1FA57 1FA75-1FA77 1FA87-1FA8F 1FAAD-1FAAF 1FABB-1FABF 1FAC6 1FAC8 1FACC-1FACF
  1FADA-1FADD 1FADF 1FAE8-1FAEB 1FAEF 1FAF7-1FAFA 1FBCB-1FBEF 1FBFA
"""


class _Range(Struct, frozen=True):
    first: int
    last: int
    category: str
    script: str  # "-": none


def category(char: str) -> str:
    """Return the general category of a character, coarse for one that this Python doesn't know."""
    known = unicodedata.category(char)
    if known != "Cn":
        return known
    later = _later(char)
    return "Cn" if later is None else later.category


def script_name(char: str) -> str:
    """Return the name of a character, or the first word of it for a letter that this Python doesn't know; or ""."""
    name = unicodedata.name(char, "")
    if name or char.isascii() or unicodedata.category(char) not in {"Cn", "Lo"}:
        return name
    later = _later(char)
    return "" if later is None else later.script.strip("-")


def is_newer(char: str) -> bool:
    """Say whether a character is assigned, or reserved for ideographs or pictographs, and unknown to this Python."""
    return unicodedata.category(char) == "Cn" and _later(char) is not None


def _later(char: str) -> _Range | None:
    code = ord(char)
    ranges = _ranges()
    at = bisect_right(ranges, code, key=lambda part: part.first) - 1
    part = ranges[at] if at >= 0 else None
    return part if part is not None and code <= part.last else None


@cache
def _ranges() -> tuple[_Range, ...]:
    parts = [
        # the last two of each plane are noncharacters
        _Range(0x20000, 0x2FFFD, "Lo", "CJK"),
        _Range(0x30000, 0x3FFFD, "Lo", "CJK"),
        _Range(0x1FC00, 0x1FFFD, "So", "-"),
    ]
    for line in _SINCE_14.strip().replace("\n  ", " ").splitlines():
        sort, script, *codes = line.replace(":", "").split()
        for code in codes:
            first, _, last = code.partition("-")
            parts.append(_Range(int(first, 16), int(last or first, 16), sort, script))
    return tuple(sorted(parts, key=lambda part: part.first))
