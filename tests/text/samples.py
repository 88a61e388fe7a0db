"""Text of every kind, for properties."""

from __future__ import annotations

from hypothesis import strategies as st

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
ANYTHING = st.text(st.characters(codec=None, exclude_categories=()))
TROUBLE = st.text(
    st.sampled_from(
        "aنئक्\u200c\u200d\u202e\u2066\ufe00\ufe0f\u0670\U0001fae8\U0001f468\U0001f3fd\U0001f3f4\U000e0067\x1b\n|🏴"
    )
)
