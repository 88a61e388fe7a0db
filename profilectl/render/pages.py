"""What customers will see, as one HTML page to pass around: no script, no network, nothing outside of the file."""

from __future__ import annotations

import base64
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from profilectl.names import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from profilectl.render.face import Face

_TEMPLATES: Final = Path(__file__).parent / "templates"
_TELEPHONE: Final = Path(__file__).parent.parent / "telephone"  # the look that the sandbox's pages have, too


class Pictured(Protocol):
    """Whatever has a picture."""

    @property
    def picture(self) -> bytes | None:
        """Encoded, or None."""

    @property
    def media_type(self) -> str | None:
        """Of the picture."""


def preview_page(handle: str, faces: Sequence[Face]) -> str:
    """Return a page with one telephone per agent, as the brand's customers will see them.

    The agent's key and kind stand beneath the telephone, for the person who looks after the roster; customers are
    shown neither.

    Args:
        handle: the brand's, without @.
        faces: in the order of the page.
    """
    return fill("preview.html", handle=handle, faces=faces)


def fill(template: str, **values: object) -> str:
    """Return a page made from a template; every string is escaped, and what can't be seen in it is spelled out."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([_TEMPLATES, _TELEPHONE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(visible=visible, message=_message, portrait=_portrait)
    environment.tests["a_bot"] = _bot_name().search
    return environment.get_template(template).render(values)


@cache
def _bot_name() -> re.Pattern[str]:
    return re.compile((_TELEPHONE / "bot_name.regex").read_text(encoding="utf-8"), re.IGNORECASE | re.VERBOSE)


def _portrait(shown: Pictured) -> str:
    """The picture inside of its own address; empty when there is none."""
    if not shown.picture:
        return ""
    return f"data:{shown.media_type};base64,{base64.b64encode(shown.picture).decode()}"


def _message(text: str) -> str:
    return "\n".join(visible(line) for line in text.replace("\r\n", "\n").split("\n"))
