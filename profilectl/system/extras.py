"""What only some people need is installed with an extra, such as ``profilectl[sign]``; here is how that is said."""

from __future__ import annotations


def how_to_install(extra: str) -> str:
    """Return the command that adds an extra, as a part of a sentence.

    It names a folder: whoever owns the bare name in a package index could install anything.
    """
    return f"in the folder of profilectl's sources, pip install '.[{extra}]'"
