"""How the demo speaks: headings, sentences and prompts, with colour on a terminal and plain elsewhere."""

from __future__ import annotations

import sys
from typing import Final

from profilectl.render.consoles import console, draw, is_terminal, write

_WIDEST: Final = 88  # columns of a sentence: a line that is pleasant to read


def say(sentences: str) -> None:
    """Tell something, in lines of a pleasant length on a terminal, in one line elsewhere."""
    if not is_terminal(sys.stdout):
        write(sentences)
        return
    from rich.constrain import Constrain
    from rich.text import Text

    draw(Constrain(Text(sentences, style="dim"), _WIDEST))


def show_heading(text: str) -> None:
    """Begin something new."""
    show_line(text, "bold cyan")


def show_prompt(command_line: str) -> None:
    """Show a command as it is typed."""
    show_line(f"$ {command_line}", "bold")


def show_line(text: str, style: str) -> None:
    """Write one line in a Rich style; a terminal may wrap it but nobody breaks it, so that it can be copied."""
    if not is_terminal(sys.stdout):
        write(text)
        return
    from rich.text import Text

    console(sys.stdout).print(Text(text, style=style), soft_wrap=True)
