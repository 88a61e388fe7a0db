"""``doctor``: what works and what doesn't, layer by layer, and what to do about the first thing that doesn't."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.context import Context
from profilectl.cli.options import command
from profilectl.doctor.report import Layer, State, pending
from profilectl.errors import ExitCode
from profilectl.render.console import draw, info, is_terminal, out, write_rows

if TYPE_CHECKING:
    from contextlib import ExitStack

    from profilectl.cli.read_only_context import ReadOnlyContext
    from profilectl.doctor.account_checks import Standing
    from profilectl.doctor.report import Diagnosis
    from profilectl.doctor.wait import Vigil


def register(app: typer.Typer) -> None:
    """Add ``doctor``."""
    app.command("doctor")(command(doctor))


def doctor(
    context: Context,
    wait: Annotated[
        str | None,
        typer.Option("--wait", metavar="DURATION", help="Ask on until X allows custom profiles, for this long: 2h."),
    ] = None,
) -> None:
    """Tell what works, what doesn't, and what to do.

    Looks at clock, network, keyring, credentials, what X allows, roster, pictures and ledger, within 20 seconds or
    --timeout. Asks nobody and changes nothing. Exits with the code of the first failure.
    """
    from profilectl.cli.read_only_context import ReadOnlyContext
    from profilectl.toml.rules import parse_duration

    seconds = None if wait is None else parse_duration(wait, "--wait")
    onlooker = ReadOnlyContext.of(context)
    diagnosis, standings = examine(onlooker)
    waits = seconds is not None and _wait_makes_sense(diagnosis, standings)
    if not (waits and context.wants_json):
        _show(context, diagnosis, diagnosis.exit_code)
    if seconds is None or not waits:
        raise typer.Exit(diagnosis.exit_code)
    raise typer.Exit(_Waiting(onlooker, diagnosis, standings).carry_out(seconds))


def examine(context: ReadOnlyContext) -> tuple[Diagnosis, tuple[Standing, ...]]:
    """Look at every layer."""
    from profilectl.doctor.account_checks import Standing, nobody, patients
    from profilectl.doctor.machine_checks import Examination

    examination = Examination(context)
    examination.look_around()
    described = list(patients(examination))
    sources = [getattr(status, "source", None) for _, status in described]
    examination.look_at_keyring(needed="keyring" in sources if described else None)
    standings = tuple(Standing(examination, patient, status) for patient, status in described)
    for standing in standings or (nobody(examination),):
        standing.look()
    examination.look_at_files()
    return examination.diagnosis, standings


def _wait_makes_sense(diagnosis: Diagnosis, standings: tuple[Standing, ...]) -> bool:
    """Tell whether X's allowlist is all that is missing; say so when it is something else."""
    if pending(diagnosis, [one.patient.label for one in standings if one.refusal is not None]):
        return True
    if diagnosis.failures:
        info("not waiting: X's allowlist isn't the only thing that is missing")
    return False


def _show(context: Context, diagnosis: Diagnosis, exit_code: ExitCode) -> None:
    from profilectl.cli.auth_accounts import give_hint
    from profilectl.render import doctor as checkup
    from profilectl.render.documents import dump

    first = diagnosis.first_failure
    told = [one for one in diagnosis.findings if not (context.is_quiet and one.state is State.OK)]
    if context.wants_json:
        out(dump(checkup.document(diagnosis, exit_code)))
    elif is_terminal(sys.stdout):
        for part in checkup.checkup(told, first):
            draw(part)
    else:
        write_rows(checkup.rows(told))
    if first is not None and (context.wants_json or not is_terminal(sys.stdout)):
        give_hint(first.judgement.hint)
    if not context.is_quiet:
        info(checkup.summary(diagnosis))


@dataclass
class _Waiting:
    """Brands that X hasn't allowed yet, and what is asked of X about them."""

    context: ReadOnlyContext
    diagnosis: Diagnosis
    standings: tuple[Standing, ...]

    def carry_out(self, seconds: float) -> ExitCode:
        """Wait, tell how it ended, and return the exit code."""
        from profilectl.doctor.wait import keep_vigil

        if not self.context.is_quiet:
            info(f"asking X until {_clock_time(time.time() + seconds)}; Ctrl-C ends it")
        vigil = keep_vigil(self.ask, seconds, self.context.announce_wait)
        code = ExitCode.DONE if vigil.allowed else ExitCode.TRY_LATER
        if self.context.wants_json:
            _show(self.context, self.diagnosis, code)
        elif vigil.allowed and not self.context.is_quiet:
            out("X allows custom profiles now: `profilectl diff` shows what a sync would make")
        if not vigil.allowed:
            self._report(vigil)
        return code

    def ask(self, stack: ExitStack) -> None:
        """Ask X about every brand that waits; NotAllowlisted as long as one of them has to."""
        again = self.context.once_more(stack)
        waiting = [one for one in self.standings if one.refusal is not None]
        for one in waiting:
            judgement = one.ask_again(again)
            self.diagnosis = self.diagnosis.with_judgement(Layer.ALLOWLIST, one.patient.label, judgement)
        refusals = [one.refusal for one in waiting if one.refusal is not None]
        if refusals:
            raise refusals[0]

    def _report(self, vigil: Vigil) -> None:
        """Say since when X was asked, and what it has to be told."""
        from profilectl.cli.auth_accounts import give_hint

        times = "once" if vigil.questions == 1 else f"{vigil.questions} times"
        for one in self.standings:
            if one.refusal is not None:
                since = _clock_time(vigil.since)
                info(f"{one.patient.title}: X still doesn't allow custom profiles (asked {times} since {since})")
                give_hint(one.application())


def _clock_time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
