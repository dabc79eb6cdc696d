"""
The command `dupdetect`: the library's `dedup` and `compare` for files, with exit codes a script can trust.

Takes   the command line
Gives   files written whole or not at all, words for people, and an exit code: 0 done, 1 failed, 2 wrong usage
        or settings, 130 interrupted (Ctrl-C), 143 terminated (SIGTERM)
Cost    only click and the settings are imported before there is work to do
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

import dupdetect
from dupdetect.commands.audit import audit
from dupdetect.commands.compare import compare
from dupdetect.commands.dedup import dedup
from dupdetect.commands.evaluate import evaluate
from dupdetect.commands.tune import tune
from dupdetect.errors import DupdetectError
from dupdetect.summary import printable

DONE, FAILED, INTERRUPTED, TERMINATED = 0, 1, 130, 143  # 2 (usage, settings) comes with the error


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(dupdetect.__version__, prog_name="dupdetect")
def command() -> None:
    """Find the copies in a collection of texts: exact, lightly edited, and syndicated inside other pages."""


for each in (dedup, compare, evaluate, audit, tune):
    command.add_command(each)


# --- running and ending -------------------------------------------------------------------------------------


class _Terminated(BaseException):
    """SIGTERM arrived. Like KeyboardInterrupt, no `except Exception` may stop it on its way up."""


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command.

    Parameters
    ----------
    arguments
        What follows the command's name; None takes them from the command line.

    Returns
    -------
    int
        The exit code: 0 done, 1 failed, 2 wrong usage or settings, 130 interrupted, 143 terminated.
    """
    _replace_what_cannot_be_encoded()
    try:
        with _unwinding_on_sigterm(), _plain_warnings():
            code = command.main(arguments, prog_name="dupdetect", standalone_mode=False)
            sys.stdout.flush()
        return code if isinstance(code, int) else DONE
    except (Exception, KeyboardInterrupt, _Terminated) as error:
        return _ended_by(error)


def _ended_by(error: BaseException) -> int:
    """Say in a sentence why the run ended and give its exit code; what nobody foresaw keeps its traceback."""
    if isinstance(error, click.ClickException):
        return _say_usage(error)
    if isinstance(error, click.Abort):  # what click makes of these two
        error = error.__cause__ if isinstance(error.__cause__, EOFError) else KeyboardInterrupt()
    if isinstance(error, KeyboardInterrupt):
        return _say("interrupted; nothing was left half-written", INTERRUPTED)
    if isinstance(error, _Terminated):
        return _say("terminated; nothing was left half-written", TERMINATED)
    if isinstance(error, BrokenPipeError):
        _discard_stdout()  # who read our output has gone, and that is no news to them
        return FAILED
    if isinstance(error, DupdetectError):
        return _say(str(error), error.exit_code)
    if isinstance(error, MemoryError):
        return _say("out of memory; give fewer documents at a time or use a larger machine", FAILED)
    if isinstance(error, EOFError):
        return _say(f"the input ended too early ({error}); is it complete?", FAILED)
    if isinstance(error, OSError):
        _discard_stdout()  # it may be the one that failed, and would fail again when Python closes it
        where = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
        return _say(f"{where}{error.strerror or error}", FAILED)
    raise error


def _say(sentence: str, code: int) -> int:
    print(f"dupdetect: {printable(sentence)}", file=sys.stderr)  # noqa: T201
    return code


def _say_usage(error: click.ClickException) -> int:
    import io

    message = io.StringIO()
    error.show(message)
    print(printable(message.getvalue()), end="", file=sys.stderr)  # noqa: T201
    return error.exit_code


def _replace_what_cannot_be_encoded() -> None:
    """Show characters that the terminal's encoding lacks as escapes, rather than fail at the summary."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _discard_stdout() -> None:
    """Send what is still buffered to nowhere, as the `signal` module's documentation advises."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Print warnings as a sentence, without the line of source that raised them."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        _say(f"note: {message}", DONE)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


@contextmanager
def _unwinding_on_sigterm() -> Iterator[None]:
    """Let SIGTERM unwind the stack as Ctrl-C does, so that whatever cleans up after itself can."""

    def unwind(*_: Any) -> None:
        raise _Terminated

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set a handler
        return
    earlier = signal.signal(signal.SIGTERM, unwind)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)


if __name__ == "__main__":
    sys.exit(main())
