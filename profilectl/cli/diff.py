"""``diff``: show what `sync` would do; nothing is written at X or in the ledger."""

from __future__ import annotations

import enum
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from profilectl.cli.context import Context
from profilectl.cli.options import Agents, Labels, option
from profilectl.errors import ExitCode, InputRefused, ProfilectlError, Refused, UsageError
from profilectl.model import DRAWN, Brand
from profilectl.plan import prices, saved
from profilectl.plan.saved import Selection
from profilectl.render import json_documents
from profilectl.render.console import info, info_aside, is_terminal
from profilectl.render.console import out as write_line
from profilectl.roster.selectors import parse_labels, require_each, select
from profilectl.sync import quota
from profilectl.system import files
from profilectl.system.folders import LinkRefused, require_own_way
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.api.retry import WaitBudget
    from profilectl.ledger.protocol import LedgerReader
    from profilectl.pictures.stat_cache import PictureStatCache
    from profilectl.plan.builder import Plan
    from profilectl.plan.changes import Change
    from profilectl.plan.notices import Notice
    from profilectl.plan.prices import Cost
    from profilectl.render.markdown import Faces
    from profilectl.sync.quota import Forecast
    from profilectl.sync.session import SyncSession

_JOBS = 8  # pictures that are fetched at once; without any, one call after the other is quick enough

AllowDeletes = Annotated[int | None, option("--allow-deletes N", "Agree to N deletions per brand.", min=0)]
AllowLost = Annotated[
    int | None, option("--allow-lost N", "Agree to re-create up to N lost profiles of each brand.", min=0)
]
PruneNow = Annotated[bool, option("--prune-now", "Destroy replaced profiles without waiting.")]
VerifyAvatars = Annotated[bool, option("--verify-avatars", "Compare the live pictures, too.")]


class Format(enum.StrEnum):
    """How a plan is shown."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


def diff(
    context: Context,
    exit_code: Annotated[bool, option("--exit-code", "Exit 3 when anything differs.")] = False,
    out: Annotated[Path | None, option("--out FILE", "Save the plan, too, for `sync --plan`.")] = None,
    form: Annotated[
        Format | None, option("--format", "How to show it; else a table, and plain lines in a pipe.")
    ] = None,
    agent: Agents = None,
    label: Labels = None,
    allow_deletes: AllowDeletes = None,
    allow_lost: AllowLost = None,
    prune_now: PruneNow = False,
    verify_avatars: VerifyAvatars = False,
    without: Annotated[
        list[str] | None, option("--except AGENT:FIELD", "Leave a name or avatar out of this run; repeatable.")
    ] = None,
    picture_base: Annotated[
        str | None, option("--picture-base URL", "In Markdown show both pictures; URL is the roster's folder.")
    ] = None,
) -> None:
    """Show what sync would do.

    It also says whether a guard would refuse the plan. It never writes at X or in the ledger.
    """
    form = _chosen(context, form)
    if picture_base is not None:
        _check_picture_base(picture_base, form)
    if out is not None:
        check_place(out)  # before X is asked for lists that couldn't be saved
    muted = _muted(context, without or (), out)
    selection = Selection(
        frozenset(agent or ()), allow_deletes, allow_lost, prune_now, verify_avatars, parse_labels(label or ())
    )
    jobs = _JOBS if verify_avatars or form is Format.HTML else 1
    session = open_session(context, context.brands(), selection, jobs, goes_on=True)
    session.muted = muted
    ledger = context.ledger_for_reading()
    session.check_accounts(ledger)
    show_warnings(session)
    check_agents(session, ledger)
    plan = _with_pins(context, session.plan(ledger))
    show_warnings(session)
    for account in session.check_ledger(ledger, context.kept_heads.ledger_of):
        context.warn_of(account)
    session.prepare(plan)
    _tell(context, session, plan, session.forecasts(plan, ledger), form, out, picture_base)
    raise typer.Exit(_diff_code(plan, session, tells_differences=exit_code))


def check_agents(session: SyncSession, ledger: LedgerReader) -> None:
    """Make sure that everybody who was named takes part, as `roster.selectors.require_each` has it."""
    session.check_agents(ledger)
    bound: set[str] = set()
    for account in session.accounts.values() if session.selection.agents else ():
        state = ledger.state_of(account.user_id)
        bound |= {binding.agent for binding in state.bindings} | {retired.agent for retired in state.retired}
        bound |= {intent.agent for intent in state.intents}
    brands = [brand.key for brand in session.brands]
    require_each(session.roster.agents, session.selection.agents, session.selection.labels, brands, bound)


def _tell(
    context: Context,
    session: SyncSession,
    plan: Plan,
    forecasts: Sequence[Forecast],
    form: Format | None,
    out: Path | None,
    picture_base: str | None,
) -> None:
    """Save the plan where that is asked for, and show it."""
    cost = prices.cost_of_plan(plan, context.prices)
    document = _document(session, plan, forecasts, cost)
    if out is not None:
        save(out, document)  # before anything is printed, so that stdout never gets a plan and an error
    _show(context, session, plan, document, form, picture_base)
    if form is not Format.JSON:
        show_limits(context, forecasts, None if form in {Format.MARKDOWN, Format.HTML} else cost)
    if out is not None:
        words = visible(f"{shlex.quote(str(out))}{context.again()}")
        context.remark(f"wrote {visible(str(out))}; `profilectl sync --plan {words}` applies it")


def _muted(context: Context, words: Iterable[str], out: Path | None) -> frozenset[tuple[str, str]]:
    """Return agents and fields such as ``alice:avatar``.

    Raises:
        UsageError: a word has another form, an agent isn't there, or the plan is to be saved.
    """
    pairs = set()
    for word in words:
        key, _, field = word.rpartition(":")
        if field not in {"name", "avatar"} or not key:
            hint = "write it as in --except alice:avatar"
            raise UsageError(f"--except: {visible(word)} isn't an agent's name or avatar", hint=hint)
        pairs.add((key, field))
    select(context.roster.agents, {key for key, _ in pairs}, (), moves=context.roster.moved)
    if pairs and out is not None:  # no sync may leave a field out, so none may apply such a plan
        raise UsageError("--except and --out exclude each other", hint="a saved plan is a whole one")
    return frozenset(pairs)


def _with_pins(context: Context, plan: Plan) -> Plan:
    """Return the plan as one that is refused where the machine's policy file refuses its roster."""
    from profilectl.plan.guards import Refusal

    error = None if plan.refused is not None else context.broken_pins()
    if error is None:
        return plan
    hint = "" if error.hint is None else f" ({error.hint})"
    return replace(plan, refused=Refusal("policy_file", f"{error.message}{hint}", None))


def _document(session: SyncSession, plan: Plan, forecasts: Iterable[Forecast], cost: Cost) -> saved.Document:
    budget = [quota.to_document(forecast) for forecast in forecasts]
    brands, left_out = [brand.key for brand in session.brands], json_documents.left_out(session.left_out)
    return saved.to_document(plan, brands, session.selection, budget, left_out, prices.to_document(cost))


def _chosen(context: Context, form: Format | None) -> Format | None:
    if context.wants_json and form not in {None, Format.JSON}:
        raise UsageError(f"--json and --format {form} exclude each other")
    return Format.JSON if context.wants_json else form


def _check_picture_base(url: str, form: Format | None) -> None:
    if form is not Format.MARKDOWN:
        raise UsageError("--picture-base is for --format markdown", hint="--format html holds the pictures themselves")
    from profilectl.api.urls import check_picture_url

    try:
        is_folder = check_picture_url(url).startswith("https://") and not {"?", "#"} & set(url)
    except Refused:
        is_folder = False
    if not is_folder:
        hint = "such as https://github.com/acme/roster/raw/COMMIT"
        raise UsageError(f"--picture-base: {visible(url)} isn't the https address of a folder", hint=hint)


def check_place(path: Path) -> None:
    """Raise UsageError where a path stands for stdout, InputRefused where something else than a saved plan is there."""
    shown = visible(str(path))
    if str(path) == "-":
        raise UsageError("--out takes the name of a file", hint="--json prints the same to stdout")
    # A link could have been put there to have another file overwritten.
    if path.is_symlink():
        raise InputRefused(f"{shown} is a symbolic link, which a plan never follows", hint="name the file itself")
    try:
        require_own_way(path.parent)
    except LinkRefused as error:
        raise InputRefused(f"can't write {shown}: {error.strerror}", hint=error.hint) from None
    if not path.exists():
        return
    try:
        is_plan = path.is_file() and saved.is_document(files.read_named(path, "the plan", saved.LARGEST_PLAN))
    except InputRefused:
        is_plan = False
    if not is_plan:
        raise InputRefused(f"{shown} exists, and isn't a saved plan", hint="choose another name, or remove it yourself")


def save(path: Path, document: saved.Document) -> None:
    """Save a plan in the place of an older one, whole or not at all: then InputRefused says why."""
    check_place(path)  # once more, because minutes may have passed
    files.write_named(path, f"{json_documents.dump(document)}\n".encode())


def open_session(
    context: Context,
    brands: tuple[Brand, ...],
    selection: Selection,
    jobs: int,
    max_wait: float | WaitBudget = 0,
    cache: PictureStatCache | None = None,
    *,
    goes_on: bool = False,
) -> SyncSession:
    """Open a session of `diff` or `sync`; the calls may wait `max_wait` seconds, or what is left, for limits of X.

    If it `goes_on`, a brand that can't be looked at is left out as long as there are others.
    """
    from profilectl.sync.session import SyncSession

    return SyncSession.open(
        context.roster,
        brands,
        selection,
        read_pictures=partial(context.inspect_pictures, cache=cache or context.picture_cache),
        preparation=context.preparation(),
        connect=partial(context.connect, jobs=jobs, max_wait=max_wait),
        find_commit=lambda: context.roster_commit,
        jobs=jobs,
        goes_on=goes_on,
    )


def with_left_out(code: ExitCode, left_out: Mapping[str, ProfilectlError]) -> ExitCode:
    """Return the exit code of a run, given how its brands ended and why others were left out of it."""
    return ExitCode.gravest([code, *([ExitCode.PARTIAL] if left_out else [])])


def show_warnings(session: SyncSession) -> None:
    """Write the session's warnings so far to stderr, each once."""
    for line in session.pop_warnings():
        info(line)


def _diff_code(plan: Plan, session: SyncSession, *, tells_differences: bool) -> ExitCode:
    needed = [ExitCode.PERSON] if plan.needing_a_person() else []
    code = ExitCode.gravest([ExitCode.DIFFERENCES, *needed] if plan.changes else needed)
    if plan.refused is not None:
        return ExitCode.REFUSED
    return with_left_out(code if tells_differences else ExitCode.DONE, session.left_out)


def _show(
    context: Context,
    session: SyncSession,
    plan: Plan,
    document: saved.Document,
    form: Format | None,
    picture_base: str | None,
) -> None:
    if form is Format.JSON:  # the document holds the refusal, too
        replace(context.output, wants_json=True).show(document)
        return
    if form in {Format.MARKDOWN, Format.HTML}:
        if plan.changes or not context.is_quiet:
            write_line(_page(context, session, plan, form, picture_base))
        show_notices(context, plan.notices)
    else:
        show_plan(context, plan, where_of(context, session), drawn=form is Format.TABLE)
        if plan.changes and not context.is_quiet:
            info_aside(f"plan {plan.digest}")
    if plan.refused is not None:
        info(f"refused: {plan.refused.message}")
        if plan.refused.ways_on is not None:
            info(f"hint: {plan.refused.ways_on}")


def _page(context: Context, session: SyncSession, plan: Plan, form: Format | None, picture_base: str | None) -> str:
    # Each form's modules are loaded for itself: HTML decodes pictures, which the others needn't.
    if form is Format.MARKDOWN:
        from profilectl.render.markdown import plan_document

        return plan_document(
            plan,
            context.again(),
            None if picture_base is None else _faces(session, plan, picture_base),
            where_of(context, session),
        )
    from profilectl.cli.html_plan_pictures import compare_changes
    from profilectl.render.html import plan_page

    return plan_page(plan, compare_changes(context, session, plan), where_of(context, session))


def _faces(session: SyncSession, plan: Plan, picture_base: str) -> dict[Change, Faces]:
    """Return where both pictures of each change can be seen: X's own address, and the roster's file below the base."""
    from posixpath import normpath
    from urllib.parse import quote

    from profilectl.render.markdown import Faces

    live = {
        (brand, profile.id): profile.avatar_url
        for brand, target in session.targets.items()
        for profile in target.observation.profiles
    }
    files_of = {
        picture.digest: f"{picture_base.rstrip('/')}/{quote(normpath(picture.path))}"
        for picture in session.pictures.values()
        if not picture.path.startswith(DRAWN)
    }
    return {
        change: Faces(
            live.get((change.brand, change.profile_id or "")),
            None if change.after is None else files_of.get(change.after.avatar),
        )
        for change in plan.changes
    }


def where_of(context: Context, session: SyncSession) -> str:
    """Return at which accounts of which X a session's plan would be applied."""
    from profilectl.render.phrases import place

    host = None if context.uses_sandbox else context.api_host
    return place([brand.handle for brand in session.brands], host)


def show_plan(context: Context, plan: Plan, where: str, *, drawn: bool = False) -> None:
    """Show the changes on stdout, unless a document is to stand there, and what is in their way on stderr.

    `where` is what `where_of` returns.

    If `drawn`, they are a table even where stdout is no terminal; without colours then, and as wide as it needs.
    """
    from profilectl.render.phrases import deletions, summary
    from profilectl.render.tables import plan_rows, plan_table

    shows_nothing = context.is_quiet and not plan.changes and (drawn or is_terminal(sys.stdout))
    rows = () if shows_nothing else tuple(plan_rows(plan))
    context.output.show_rows(rows=rows, table=partial(plan_table, plan), drawn=drawn)
    show_obstacles(context, plan.changes)
    show_notices(context, plan.notices)
    if not context.is_quiet:
        info(summary(plan, where), strong=deletions(plan))


def show_notices(context: Context, notices: Iterable[Notice]) -> None:
    """Write to stderr what stays as it is and why; nothing when quiet."""
    from profilectl.render.phrases import notice_lines

    for line in notice_lines(notices):
        context.remark(line)


def show_obstacles(context: Context, changes: Iterable[Change]) -> None:
    """Write to stderr what is in the way of the changes that are blocked."""
    from profilectl.render.phrases import obstacles

    for line in obstacles(changes, context.again()):
        info(line)


def show_limits(context: Context, forecasts: Iterable[Forecast], cost: Cost | None) -> None:
    """Write to stderr what a plan costs at X, where a price is known, and what X's limits mean for it."""
    from profilectl.render.phrases import limit_lines

    if cost is not None and cost.amount is not None:
        context.remark(prices.describe(cost))
    for forecast in forecasts:
        for line in limit_lines(forecast):
            context.remark(line)
