"""What customers will see, as one HTML page to pass around: no script, no network, nothing outside of the file."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from profilectl.names import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from profilectl.render.face import Face


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
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("profilectl.render"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(visible=visible, data_uri=_data_uri, lines=_lines)
    return environment.get_template(template).render(values)


def _data_uri(picture: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(picture).decode()}"


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").split("\n")
