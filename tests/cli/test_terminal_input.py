"""A question on a terminal: what is typed arrives, and a signal ends it whatever the moment in which it comes."""

from __future__ import annotations

import os
import signal
import sys
import termios

import pytest

from tests.patience import read_some, until
from tests.terminals import start_on_terminal

HANDLERS = """
import os, signal, sys, termios
from profilectl.cli import terminal_input
from profilectl.cli.terminal_input import read_line
here = lambda number: os.kill(os.getpid(), number)
def end(code):
    def leave(number, frame):
        raise SystemExit(code)
    return leave
signal.signal(signal.SIGINT, end(130))
signal.signal(signal.SIGTERM, end(143))
"""
BEFORE_SELECT = """
wait = terminal_input.select.select
def late(*arguments):
    here(SIGNAL)
    return wait(*arguments)
class select:
    select = staticmethod(late)
terminal_input.select = select
"""
AFTER_SELECT = """
wait = terminal_input.select.select
def early(*arguments):
    ready = wait(*arguments)
    termios.tcflush(0, termios.TCIFLUSH)  # as Ctrl-C does
    here(SIGNAL)
    return ready
class select:
    select = staticmethod(early)
terminal_input.select = select
"""
AT_THE_END = """
close = os.close
def late(descriptor):
    here(SIGNAL)
    close(descriptor)
os.close = late
"""
AT_THE_PROMPT = """
class Prompt:
    encoding, errors = "utf-8", "strict"
    def write(self, text):
        os.write(2, text.encode())
        here(SIGNAL)
    def flush(self):
        sys.stderr = sys.__stderr__
        here(SIGNAL)
sys.stderr = Prompt()
"""
MOMENTS = {
    "the prompt is being written": AT_THE_PROMPT,
    "just before it waits": BEFORE_SELECT,
    "between waiting and reading": AFTER_SELECT,
    "after the answer": AT_THE_END,
}


class Screen:
    """A Python program on a terminal of its own."""

    def __init__(self, program):
        self.text = ""
        self.process, self.terminal = start_on_terminal([sys.executable, "-c", HANDLERS + program])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.terminal)
        self.process.kill()
        self.process.wait()

    def wait_for(self, text):
        while text not in self.text:
            assert self._read(), self.text

    def type(self, keys):
        os.write(self.terminal, keys)

    def end(self):
        """Return the exit code."""
        while self._read():
            pass
        return self.process.wait()

    def shows_what_is_typed(self):
        return bool(termios.tcgetattr(self.terminal)[3] & termios.ECHO)

    def _read(self):
        try:
            part = read_some(self.terminal, self.text)
        except OSError:  # how Linux reports the end of a pseudo-terminal
            return False
        self.text += part.decode().replace("\r\n", "\n")
        return bool(part)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("hidden", [False, True])
def test_a_signal_ends_a_question_at_any_moment(number, moment, hidden):
    """The signal's own handler ends the question, also when an answer is there or the terminal threw it away."""
    program = MOMENTS[moment].replace("SIGNAL", str(int(number)))
    with Screen(f"{program}\nread_line('? ', hidden={hidden})\nos._exit(1)") as screen:
        screen.wait_for("?")
        if moment != "the prompt is being written":
            screen.type(b"yes\n")

        assert {signal.SIGINT: 130, signal.SIGTERM: 143}[number] == screen.end()


@pytest.mark.parametrize("hidden", [False, True])
def test_ctrl_c_right_after_the_prompt(hidden):
    """Ctrl-C that is pressed as soon as the question is seen ends it, and the terminal shows again what is typed."""
    program = f"try:\n    read_line('? ', hidden={hidden})\nexcept SystemExit:\n    sys.stdin.read()"
    for _ in range(5):
        with Screen(program) as screen:
            screen.wait_for("?")
            screen.type(b"\x03")
            until(screen.shows_what_is_typed, "the terminal's echo")
            screen.type(b"\x04\x04")
            assert 0 == screen.end()


def test_answers_come_one_by_one():
    """Each question gets its own line, also when all were typed at once; Ctrl-D ends the line, then the questions."""
    program = "print([read_line('1? '), read_line('2? '), read_line('3? ')])\nread_line('4? ')"
    with Screen(program) as screen:
        screen.wait_for("1?")
        screen.type("ä\n\nthre\x04e\n\x04".encode())

        assert 1 == screen.end()
    assert "['ä', '', 'three']" in screen.text
    assert "EOFError" in screen.text


def test_a_hidden_answer_stays_hidden():
    """What is typed isn't shown, and the terminal is as before afterwards."""
    with Screen("print(read_line('? ', hidden=True).upper())\ninput('end')") as screen:
        screen.wait_for("?")
        hidden = not screen.shows_what_is_typed()
        screen.type(b"secret\n")
        screen.wait_for("end")

        assert (True, True) == (hidden, screen.shows_what_is_typed())
        assert "? \nSECRET\nend" == screen.text
        screen.type(b"\n")
        assert 0 == screen.end()


def test_a_terminal_of_another_user():
    """After `su` stdin's terminal can't be opened by its name; the question is asked all the same."""
    denied = "def denied(_):\n    raise PermissionError\nos.ttyname = denied\n"
    with Screen(f"{denied}print(read_line('? ').upper())") as screen:
        screen.wait_for("?")
        screen.type(b"yes\n")

        assert 0 == screen.end()
    assert "YES" in screen.text


@pytest.mark.parametrize("hidden", [False, True])
def test_a_terminal_that_goes_away(hidden):
    """The terminal's end is the end of the answers, and no other error."""
    asks = f"try:\n    read_line('? ', hidden={hidden})\nexcept EOFError:\n    os._exit(7)"
    program = f"signal.signal(signal.SIGHUP, signal.SIG_IGN)\n{asks}"
    with Screen(program) as screen:
        screen.wait_for("?")
        os.close(screen.terminal)
        screen.terminal = os.dup(0)

        assert 7 == screen.process.wait()


def test_who_ignores_ctrl_c_goes_on_ignoring_it():
    """A program that was started with SIGINT ignored isn't ended by it at a question either."""
    with Screen("signal.signal(signal.SIGINT, signal.SIG_IGN)\nread_line('? ')\nos._exit(5)") as screen:
        screen.wait_for("?")
        screen.process.send_signal(signal.SIGINT)
        screen.type(b"yes\n")

        assert 5 == screen.end()


def test_other_signals_do_not_end_a_question():
    """A signal whose handler raises nothing leaves the question open."""
    program = "signal.signal(signal.SIGUSR1, lambda *_: print('usr1', flush=True))\nprint(read_line('? ').upper())"
    with Screen(program) as screen:
        screen.wait_for("?")
        screen.process.send_signal(signal.SIGUSR1)
        screen.wait_for("usr1")
        screen.type(b"yes\n")

        assert 0 == screen.end()
    assert "YES" in screen.text


def test_what_was_typed_can_be_thrown_away():
    """Whole lines and halves of them; what is typed afterwards arrives."""
    with Screen("read_line('1? ')\nterminal_input.discard_typed()\nprint([read_line('2? ')])") as screen:
        screen.wait_for("1?")
        screen.type(b"first\nearly\nhal")
        screen.wait_for("2?")
        screen.type(b"late\n")

        assert 0 == screen.end()
    assert "['late']" in screen.text
