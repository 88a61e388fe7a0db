"""``roster export``: the roster as a list of people."""

from __future__ import annotations

from typing import Annotated

from profilectl.cli.context import Context
from profilectl.cli.options import Agents, Labels, option
from profilectl.cli.roster.edit import require_no_brand
from profilectl.errors import UsageError
from profilectl.roster.selectors import parse_labels, select

_FORMATS = ("csv", "jsonl")


def export_people(
    context: Context,
    form: Annotated[str, option("--format FORMAT", "csv or jsonl.")] = "csv",
    legal_names: Annotated[bool, option("--legal-names", "Include legal names, which are private.")] = False,
    agent: Agents = None,
    label: Labels = None,
) -> None:
    """Print the roster's agents as a list for a spreadsheet.

    It is what `roster import` reads, and changes nothing when it is read into the same roster. Defaults and name
    patterns are filled in; what differs from brand to brand isn't in it.
    """
    from profilectl.people.export import csv_rows, export, json_lines
    from profilectl.render.console import out_all
    from profilectl.render.spreadsheets import csv_lines
    from profilectl.toml.document import decode, load

    require_no_brand(context, "export", "the list has a column of brands; leave it out")
    if form not in _FORMATS:
        raise UsageError(f"--format: expected {' or '.join(_FORMATS)}")
    if context.wants_json:
        raise UsageError("roster export has no JSON document", hint="--format jsonl prints an object for each agent")
    named, labels = frozenset(agent or ()), parse_labels(label or ())
    roster = context.roster  # refused with errors in any case
    selected = select(roster.agents, named, labels, moves=roster.moved)
    keys = {chosen.key for chosen in selected} if named or labels else None
    name = str(context.roster_path)
    people = export(load(decode(context.read_roster(), name), name), with_legal_names=legal_names, keys=keys)
    out_all(csv_lines(people.columns, csv_rows(people)) if form == "csv" else json_lines(people))
    if people.private:
        count = "1 legal name was" if people.private == 1 else f"{people.private} legal names were"
        context.remark(f"{count} left out; --legal-names includes them")
    if people.left_out:
        from profilectl.cli.people.lists import some

        context.remark(f"without what differs from brand to brand: {some(people.left_out)}")
