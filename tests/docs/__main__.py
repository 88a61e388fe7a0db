"""`python -m tests.docs` writes every generated part of the documents anew."""

from __future__ import annotations

from tests.docs.pages import rewrite

if __name__ == "__main__":
    rewrite()
