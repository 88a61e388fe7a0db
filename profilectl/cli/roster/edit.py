"""``roster add``, ``set``, ``remove``, ``rename`` and ``fmt``: the roster's text, changed in small."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from profilectl.cli.context import Context
from profilectl.cli.options import argument, option
from profilectl.errors import ExitCode, InputRefused, TryLater, UsageError
from profilectl.render import roster_documents
from profilectl.render.console import info
from profilectl.system import files
from profilectl.system.edited_files import replace_unchanged
from profilectl.system.folders import LinkRefused, require_own_way
from profilectl.system.host import today
from profilectl.text.escape import visible
from profilectl.toml.document import decode
from profilectl.toml.rules import is_key

if TYPE_CHECKING:
    from profilectl.roster.editing.apply import EditedRoster
    from profilectl.roster.editing.edits import AddAgent, Edit, SetFields

_TRIES = 5
_PICTURE_SIDE = 800  # pixels: twice what X shows, for a brand that draws something on it

Agent = Annotated[str, argument("AGENT", "The agent's key.")]
Fields = Annotated[list[str] | None, argument("FIELD=VALUE", "A field and its value; repeatable.")]


def add(
    context: Context,
    key: Annotated[str, argument("KEY", "The new agent's key, such as alice.")],
    field: Fields = None,
    name: Annotated[str | None, option("--name NAME", "The public name, or a pattern of one.")] = None,
    avatar: Annotated[str | None, option("--avatar PATH", "A picture in the roster's folder.")] = None,
    photo: Annotated[
        Path | None, option("--photo FILE", "A picture from anywhere: cropped, and stored beside.")
    ] = None,
    kind: Annotated[str | None, option("--kind KIND", "human or bot.")] = None,
    first: Annotated[str | None, option("--first NAME", "The given name, for patterns.")] = None,
    last: Annotated[str | None, option("--last NAME", "The family name, for patterns.")] = None,
    title: Annotated[str | None, option("--title TITLE", "What the agent does, for patterns.")] = None,
    operators: Annotated[str | None, option("--operators USERS", "OS users who may send, with commas.")] = None,
    starts: Annotated[str | None, option("--from DAY", "The first day.")] = None,
    until: Annotated[str | None, option("--until DAY", "The last day.")] = None,
    label: Annotated[list[str] | None, option("--label NAME=VALUE", "A free label; repeatable.")] = None,
) -> None:
    """Add an agent to the roster.

    With --brand it belongs to these brands only. Every comment, the order and all line ends stay as they are.
    """
    from profilectl.roster.editing.edits import AddAgent
    from profilectl.roster.editing.fields import parse_assignment, typed

    if avatar is not None and photo is not None:
        raise UsageError("--avatar and --photo exclude each other")
    if photo is not None:
        _require_possible(context, AddAgent(key, {}))  # before a file is named after what may be no key, or taken
    with ExitStack() as stack:  # a picture whose agent isn't added goes again
        stored = None if photo is None else _keep_photo(context, stack, key, photo)
        words = {"name": name, "avatar": avatar or stored, "kind": kind, "first": first, "last": last, "title": title}
        words["operators"] = operators
        fields: dict[str, Any] = {word: typed((word,), value) for word, value in words.items() if value is not None}
        days = {"from": starts, "until": until}
        assignments = [f"{word}={day}" for word, day in days.items() if day is not None]
        for assignment in (*assignments, *(f"labels.{word}" for word in label or ()), *(field or ())):
            _nest(fields, *parse_assignment(assignment))
        if context.options.brand:
            _nest(fields, ("brands",), list(context.options.brand))
        judge = partial(_require_usable_pictures, context, key)
        _carry_out(context, AddAgent(key, fields), "add", f"added {visible(key)}", picture=stored, judge=judge)


def _require_usable_pictures(context: Context, key: str, text: str, paths: Collection[str] | None = None) -> None:
    """Refuse an edit after which an agent has a picture that `roster check` refuses; warn as it does.

    `paths` are the pictures that the edit is about, None for all of the agent's.
    """
    from profilectl.pictures.loader import examine, judge, problems
    from profilectl.pictures.looks import judge_looks
    from profilectl.roster.brands import decorated_agents
    from profilectl.roster.checks.waivers import waive
    from profilectl.roster.consent import agreed_agents
    from profilectl.roster.parser import parse_partially

    name = str(context.roster_path)
    roster = parse_partially(text.encode(), name)
    agreed = agreed_agents(roster.agents, roster.policy, today(roster.policy.timezone))
    own = [agent for agent in (*agreed, *roster.faulty) if agent.key == key]
    agents = decorated_agents([agent for agent in own if paths is None or agent.avatar in paths], roster.brands)
    pictures, refusals, prepared = examine(context.roster_path.parent, agents, context.prepared_cache.look)
    objections = (*judge(agents, pictures, refusals, roster.policy), *judge_looks(agents, pictures, prepared))
    for problem in waive(problems(objections, text, name), roster.policy.waivers)[0]:
        if problem.severity == "error":
            raise InputRefused(f"nothing was written: {problem.message}", hint=problem.hint or None)
        info(f"warning: {problem.message}")


def _nest(fields: dict[str, Any], path: Sequence[Any], value: Any) -> None:
    """Put a value at a path below the fields; UsageError where one is given twice."""
    for part in path[:-1]:
        fields = fields.setdefault(part, {})
        if not isinstance(fields, dict):
            raise UsageError(f"{visible(str(part))} is given twice")
    if path[-1] in fields:
        raise UsageError(f"{visible(str(path[-1]))} is given twice")
    fields[path[-1]] = value


def _keep_photo(context: Context, stack: ExitStack, key: str, photo: Path, *, may_number: bool = False) -> str:
    """Store a picture beside the roster, square, upright and without metadata; return its path as the roster has it.

    With `may_number` it gets a number where another picture has its name, else it is refused.
    """
    from profilectl.people.photos import free_path, holds, stored
    from profilectl.pictures.avatars import LARGEST_FILE

    context.read_roster()  # before a folder is made where there is no roster
    picture = stored(key, files.read_named(photo, "the picture", LARGEST_FILE), str(photo), _PICTURE_SIDE)
    folder, content = context.roster_path.parent, picture.content or b""
    relative = free_path(folder, picture) if may_number else picture.path
    target = folder / relative
    hint = "--avatar names a picture that is there; move that one away only if it is no agent's"
    try:
        require_own_way(target.parent)
        if target.parent.is_symlink():
            raise InputRefused(f"{visible(str(target.parent))} is a symbolic link; nothing was written", hint=hint)
        if may_number and holds(target, content):
            return relative
        stack.enter_context(files.created(target, content))
    except FileExistsError:
        raise InputRefused(f"{visible(str(target))} exists already; nothing was written", hint=hint) from None
    except LinkRefused as error:
        raise InputRefused(f"{error.strerror}; nothing was written", hint=error.hint) from None
    except OSError as error:
        raise InputRefused(f"can't write {visible(str(target))}: {error.strerror}; nothing was written") from None
    return relative


def set_fields(
    context: Context,
    key: Agent,
    field: Fields = None,
    unset: Annotated[list[str] | None, option("--unset FIELD", "Take the field out; repeatable.")] = None,
    photo: Annotated[
        Path | None, option("--photo FILE", "A picture from anywhere: cropped, and stored beside.")
    ] = None,
) -> None:
    """Change fields of an agent.

    With --brand it is what differs in that brand. Lists take commas: operators=ann,bert. A --photo gets a file of its
    own, and the former picture's stays.
    """
    from profilectl.roster.editing.edits import SetFields
    from profilectl.roster.editing.fields import parse_assignment, parse_field

    brands: Sequence[str | None] = context.options.brand or (None,)
    _require_brands(context)
    pairs = [parse_assignment(word, brand) for brand in brands for word in field or ()]
    paths = tuple(parse_field(word, brand) for brand in brands for word in unset or ())
    pictures = [parse_field("avatar", brand) for brand in brands if photo is not None]
    if not pairs and not paths and not pictures:
        raise UsageError("nothing to change", hint="name a field: title='Team Lead', or --unset title")
    named = [*pictures, *(path for path, _ in pairs), *paths]
    for path in named:
        if named.count(path) > 1:
            raise UsageError(f"{visible('.'.join(map(str, path)))} is given twice")
    with ExitStack() as stack:  # a picture that its agent doesn't get goes again
        stored = None
        if photo is not None:
            _require_possible(context, SetFields(key, {}))
            stored = _keep_photo(context, stack, key, photo, may_number=True)
            pairs += [(path, stored) for path in pictures]
        chosen = {value for path, value in pairs if path[-1] == "avatar"}
        judge = partial(_require_usable_pictures, context, key, paths=chosen) if chosen else None
        _carry_out(
            context, SetFields(key, dict(pairs), paths), "set", f"changed {visible(key)}", picture=stored, judge=judge
        )


def _require_possible(context: Context, edit: AddAgent | SetFields) -> None:
    """Refuse an edit whose agent isn't there, is there already, or has what may be no key."""
    from profilectl.roster.editing.apply import require_possible
    from profilectl.toml.document import load

    name = str(context.roster_path)
    require_possible(load(decode(context.read_roster(), name), name), edit)
    if not is_key(edit.key):
        raise UsageError(f"{visible(edit.key)} can't be a key, so no picture is stored for it")


def _require_brands(context: Context) -> None:
    from profilectl.roster.brands import select_brands
    from profilectl.roster.parser import parse_partially

    if context.options.brand:
        roster = parse_partially(context.read_roster(), str(context.roster_path))
        select_brands(roster.brands, context.options.brand, str(context.roster_path))


def require_no_brand(context: Context, command: str, hint: str) -> None:
    """Raise UsageError where ``--brand`` was given to a command that is about all brands."""
    if context.options.brand:
        raise UsageError(f"roster {command} is about all brands: it has no --brand", hint=hint)


def remove(context: Context, key: Agent) -> None:
    """Take an agent out of the roster.

    The next sync destroys the agent's profiles. `profilectl offboard` does that at once, and blocks sending.
    """
    from profilectl.roster.editing.edits import RemoveAgent

    hint = f"`profilectl roster set {visible(key)} brands.BRAND=false` takes {visible(key)} out of one"
    require_no_brand(context, "remove", hint)
    _require_unprotected(context, key)
    _carry_out(context, RemoveAgent(key), "remove", f"removed {visible(key)}")


def _require_unprotected(context: Context, key: str) -> None:
    """Raise InputRefused for a protected agent: the ledger may not know of it yet, and then nothing protects them."""
    from profilectl.roster.parser import parse_partially

    roster = parse_partially(context.read_roster(), str(context.roster_path))
    if any(agent.protected for agent in (*roster.agents, *roster.faulty) if agent.key == key):
        hint = f"`profilectl roster set {visible(key)} --unset protected` first, if it is meant"
        raise InputRefused(f"{visible(key)} is protected, so nothing was removed", hint=hint)


def rename(
    context: Context,
    old: Annotated[str, argument("AGENT", "The key of today.")],
    new: Annotated[str, argument("KEY", "The key from now on.")],
) -> None:
    """Change an agent's key; its profile stays.

    The roster gets an entry in [[moved]], by which every ledger follows at its next sync. Nothing is made or destroyed
    at X, and customers see no difference.
    """
    from profilectl.roster.editing.edits import RenameAgent

    require_no_brand(context, "rename", "a key is the same in every brand; leave it out")
    sentence = f"{visible(old)} is called {visible(new)} now"
    _carry_out(context, RenameAgent(old, new), "rename", sentence, former=old)


def fmt(
    context: Context,
    check: Annotated[bool, option("--check", "Write nothing; exit 3 when the form would change.")] = False,
) -> None:
    """Bring the roster into its canonical form.

    Comments, order and meaning stay: only white space, line ends and the spelling of keys become even.
    """
    from profilectl.roster.editing.edits import Reformat

    require_no_brand(context, "fmt", "leave it out")
    _carry_out(context, Reformat(), "fmt", "brought into the canonical form", is_check=check)


def _carry_out(
    context: Context,
    edit: Edit,
    action: str,
    sentence: str,
    *,
    former: str | None = None,
    picture: str | None = None,
    is_check: bool = False,
    judge: Callable[[str], None] | None = None,
) -> None:
    """Make an edit, write it, and tell; with `is_check` only tell whether it would change anything.

    `judge` looks at the new text before it is written, and raises InputRefused where it can't be.
    """
    from profilectl.roster.editing.apply import edited
    from profilectl.roster.editing.edits import Reformat

    path = context.roster_path
    for _ in range(_TRIES):  # another command may have written meanwhile: then this one edits what that has left
        content = context.read_roster()
        result = edited(decode(content, str(path)), str(path), edit)
        if judge is not None:
            judge(result.text)
        mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) and not isinstance(edit, Reformat) else b""
        new = mark + result.text.encode("utf-8")
        is_changed = new != content
        if not is_changed or is_check or replace_unchanged(path, content, new):
            break
    else:
        raise TryLater(
            f"{visible(str(path))} was changed while this ran, so nothing was written",
            hint="run the same command again",
        )
    key = _key_of(edit)
    document = roster_documents.edit(
        path, action, key, former, picture, _line_of(result, key), result.notes, is_changed=is_changed
    )
    _show(context, sentence, document, result.notes if is_changed else ())
    if is_check and is_changed:
        raise typer.Exit(ExitCode.DIFFERENCES)


def _key_of(edit: Edit) -> str | None:
    """Return the key of the agent that an edit is about, as it is afterwards."""
    return getattr(edit, "new", None) or getattr(edit, "key", None)


def _line_of(result: EditedRoster, key: str | None) -> int | None:
    """Return the line on which an agent begins after an edit, None where there is no agent."""
    if key is None:
        return None
    from profilectl.toml.positions import Positions

    path = ("agents", key)
    place = Positions(result.text, lambda each: each[:2] == path and len(each) == 2).find(path)
    return None if place is None else place[0]


def _show(context: Context, sentence: str, document: Mapping[str, Any], notes: Sequence[str]) -> None:
    file = visible(str(context.roster_path))
    if not document["changed"]:
        is_form = document["action"] == "fmt"
        line = f"{file} is in the canonical form" if is_form else f"{file} says so already; nothing was written"
        if document["picture"] is not None:  # which may have been missing
            line = f"{file} says so already, and {visible(document['picture'])} is that picture"
    elif document["line"] is not None:
        line = f"{file}:{document['line']}: {sentence}"
    else:
        line = f"{file}: {sentence}"
    context.output.show(dict(document), lines=[line])
    for note in notes:
        context.remark(note)
    if document["changed"] and document["action"] in {"add", "remove", "set"} and not context.wants_json:
        context.remark(f"next: `profilectl diff{visible(context.again())}` shows what sync would do")
