"""What is read from a Typer app: names, help, what options take; and nothing that isn't shown."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import pytest
import typer

from profilectl.cli.main import build
from profilectl.completion.command_tree import Option, Value, read_tree


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


def tree_of(deed):
    app = typer.Typer(add_completion=False)
    app.command("deed")(deed)
    return read_tree(app, "program")


def option_of(deed):
    return tree_of(deed).options[0]


def test_an_option_with_choices():
    """The choices of an enum are its values, in their order."""

    def deed(colour: Annotated[Colour, typer.Option("--colour", "-c", help="Which  one.\n")] = Colour.RED): ...

    assert Option(("--colour", "-c"), "Which one", Value("COLOUR", "choice", ("red", "blue")), False) == option_of(deed)


def test_an_option_that_takes_a_path():
    """A path is known by its type, whatever its metavar says."""

    def deed(file: Annotated[Path, typer.Option(metavar="PLACE")] = Path()): ...

    assert Option(("--file",), "", Value("PLACE", "path"), False) == option_of(deed)


def test_a_repeatable_option():
    """A list is an option that may stand there more than once."""

    def deed(label: Annotated[list[str] | None, typer.Option()] = None): ...

    assert Option(("--label",), "", Value("LABEL", "text"), True) == option_of(deed)


@pytest.mark.parametrize(
    ("metavar", "kind"),
    [("AGENT", "agent"), ("[BRAND]", "brand"), ("ID", "profile"), ("ID|@HANDLE", "customer")],
)
def test_a_name_is_told_by_its_metavar(metavar, kind):
    """What help calls AGENT, BRAND or ID is completed as such."""

    def deed(name: str): ...

    deed.__annotations__["name"] = Annotated[str, typer.Argument(metavar=metavar)]
    assert (Value(metavar.strip("[]"), kind),) == tree_of(deed).arguments


def test_a_plan_is_a_path_with_a_metavar():
    """A saved plan is a path; a PLAN that isn't one is any text."""

    def deed(
        saved: Annotated[Path, typer.Argument(metavar="PLAN")], text: Annotated[str, typer.Argument(metavar="PLAN")]
    ): ...

    assert (Value("PLAN", "plan"), Value("PLAN", "text")) == tree_of(deed).arguments


def test_flags_and_counts_take_no_value():
    """Both names of a pair belong to one flag, and a count is a flag that may be repeated."""

    def deed(wet: bool = True, loud: Annotated[int, typer.Option("-l", count=True)] = 0): ...

    flag, count = tree_of(deed).options[:2]

    assert Option(("--wet", "--no-wet"), "", None, False) == flag
    assert Option(("-l",), "", None, True) == count


def test_arguments_in_their_order():
    """The brackets of an optional argument are no part of its name."""

    def deed(first: str, second: Annotated[Path | None, typer.Argument(metavar="[FILE]")] = None): ...

    assert (Value("FIRST", "text"), Value("FILE", "path")) == tree_of(deed).arguments


def test_what_is_hidden_stays_hidden():
    """Help doesn't show it, so completion doesn't either."""
    app = typer.Typer(add_completion=False)
    app.command("seen")(lambda: None)
    app.command("unseen", hidden=True)(lambda: None)

    assert ["seen"] == [command.words[-1] for command in read_tree(app, "program").commands]


def test_a_choice_that_needs_quotes_is_refused():
    """Better no script than one that offers half a word."""

    class Odd(Enum):
        ODD = "two words"

    def deed(odd: Annotated[Odd, typer.Option()] = Odd.ODD): ...

    deed.__annotations__["odd"] = Annotated[Odd, typer.Option()]
    with pytest.raises(ValueError, match="two words"):
        tree_of(deed)


def test_the_whole_program_is_walked_in_the_order_of_its_help():
    """Groups come before their commands, and every command is named by all its words."""
    words = [command.words for command in read_tree(build(), "profilectl").walk()]

    assert ("profilectl",) == words[0]
    assert words.index(("profilectl", "roster")) + 1 == words.index(("profilectl", "roster", "check"))
