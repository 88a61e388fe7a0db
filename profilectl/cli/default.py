"""``auth default``: the brand that is meant by this user where a command is about one and none is named."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.accounts import announce, print_json
from profilectl.cli.context import Context
from profilectl.errors import UsageError
from profilectl.names import visible
from profilectl.render.consoles import talk, write

if TYPE_CHECKING:
    from profilectl.model import Brand


def default(
    context: Context,
    key: Annotated[str | None, typer.Argument(metavar="[BRAND]", help="Its key in the roster.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Have none any more.")] = False,
) -> None:
    """Show or choose the brand that is meant when none is named.

    For commands about one brand, such as send; diff and sync are about all, unless --brand or PROFILECTL_BRAND names
    some. Both of these win over the default.
    """
    if key is not None and clear:
        raise UsageError("a brand and --clear exclude each other", hint="leave one of them out")
    if key is not None:
        _write(context, _known(context, key).key)
        announce(context, f"the default brand is {visible(key)}")
    elif clear:
        _write(context, None)
        announce(context, "there is no default brand any more")
    elif not context.wants_json:
        _show(context.config.brand)
    print_json(context, [])


def _known(context: Context, key: str) -> Brand:
    found = next((one for one in context.roster.brands if one.key == key), None)
    if found is None:
        raise UsageError(
            f"there is no brand {visible(key)} in {visible(str(context.roster_path))}",
            hint="it has: " + ", ".join(one.key for one in context.roster.brands),
        )
    return found


def _write(context: Context, brand: str | None) -> None:
    from profilectl.credentials.config import read_config, write_config
    from profilectl.credentials.lock import held

    path = context.config.path
    with held(path):
        write_config(replace(read_config(path), brand=brand))


def _show(brand: str | None) -> None:
    if brand is None:
        talk("there is no default brand")
    else:
        write(visible(brand))
