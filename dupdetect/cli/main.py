"""The command `dupdetect`: the library's functions for files, with exit codes a script can trust.

Input    the command line
Output   files written whole or not at all, text on the terminal, and an exit code: 0 done, 1 failed, 2 wrong usage
         or settings, 130 interrupted (Ctrl-C), 143 terminated (SIGTERM; 128 and the number of other signals)
Cost     only click and the settings are imported before there is work to do
"""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import click

import dupdetect
from dupdetect._storage import unfinished
from dupdetect.cli.audit import audit
from dupdetect.cli.compare import compare
from dupdetect.cli.dedup import dedup
from dupdetect.cli.evaluate import evaluate
from dupdetect.cli.explain import explain
from dupdetect.cli.index import index
from dupdetect.cli.json_log import Log
from dupdetect.cli.report import report
from dupdetect.cli.signals import Terminated, exit_code, heard
from dupdetect.cli.sketch import sketch
from dupdetect.cli.standard_streams import discard, prepare, tell
from dupdetect.cli.tune import tune
from dupdetect.cli.verify import verify
from dupdetect.cli.warm import warm
from dupdetect.errors import DupdetectError
from dupdetect.text.escape import escape_for_terminal, one_line

#: Exit codes beyond it are those of signals.
OF_SIGNALS = 128

#: Characters of what a library says of why it cannot be loaded.
SHOWN = 200

DONE, FAILED = 0, 1  # 2 (usage, settings) comes with the error, and so does a signal's


class _Raised(BaseException):
    """Carries an error past click, which would write an empty line at Ctrl-C, and exit where a pipe is broken."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class Group(click.Group):
    """Commands whose errors come through as they are."""

    def invoke(self, context: click.Context) -> Any:
        """Invoke the command that was given."""
        try:
            return super().invoke(context)
        except (KeyboardInterrupt, EOFError, OSError) as error:
            raise _Raised(error) from None


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(dupdetect.__version__, prog_name="dupdetect")
def command() -> None:
    """Find the copies in a collection of texts: exact, lightly edited, and syndicated inside other pages."""


for each in (dedup, compare, explain, evaluate, audit, tune, report, verify, sketch, warm, index):
    command.add_command(each)


# --- running and ending -------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments
        What follows the command's name; None takes them from the command line.

    Returns
    -------
    int
        The exit code: 0 done, 1 failed, 2 wrong usage or settings, 130 interrupted, 143 terminated.
    """
    return run(command, "dupdetect", arguments)


def run(group: click.Group, name: str, arguments: Sequence[str] | None = None) -> int:
    """Run a group of commands by some name; parameters and exit codes as those of `main`."""
    prepare()
    log, code = Log(), FAILED
    try:
        with heard(partial(_end, log)):
            code = _run(group, name, arguments, log)
    except (KeyboardInterrupt, Terminated) as error:  # while the end was told
        code = exit_code(error)
    if code > OF_SIGNALS:
        unfinished.remove_all()  # the signal may have come while something was being removed
    return code


def _run(group: click.Group, name: str, arguments: Sequence[str] | None, log: Log) -> int:
    code = FAILED
    try:
        with _plain_warnings(log), _compiling_told(log):
            given = group.main(arguments, prog_name=name, standalone_mode=False, obj=log)
            sys.stdout.flush()
        code = given if isinstance(given, int) else DONE
    except _Raised as carrier:
        code = _ended_by(carrier.error, log)
    except (Exception, KeyboardInterrupt, Terminated) as error:
        code = _ended_by(error, log)
    finally:
        log.close(code)
    return code


def _end(log: Log, error: BaseException) -> int:
    """Say why the run ends, for it will not come to its own end."""
    code = _ended_by(error, log)
    log.close(code)
    return code


def _ended_by(error: BaseException, log: Log) -> int:
    """Say in a sentence why the run ended and give its exit code; what nobody foresaw keeps its traceback."""
    if isinstance(error, click.ClickException):
        return _say_usage(error, log)
    if isinstance(error, KeyboardInterrupt | Terminated):
        what = "terminated" if isinstance(error, Terminated) else "interrupted"
        return _say(f"{what}; nothing was left half-written", exit_code(error), log)
    if isinstance(error, DupdetectError):
        return _say(str(error), error.exit_code, log)
    if isinstance(error, MemoryError):
        return _say("out of memory; give fewer documents at a time or use a larger machine", FAILED, log)
    if isinstance(error, ImportError):
        # numpy tells in some thirty lines what may be wrong; what was wrong is its cause.
        what = one_line(str(error.__cause__ or error), SHOWN)
        return _say(f"a library cannot be loaded ({what}); is it installed, and is there memory for it?", FAILED, log)
    if isinstance(error, EOFError):
        return _say(f"the input ended too early ({error}); is it complete?", FAILED, log)
    if isinstance(error, OSError):
        return _say_system(error, log)
    trace = "".join(traceback.format_exception(error))
    log.write("error", message=f"{type(error).__name__}: {error}", exit_code=FAILED, traceback=trace)
    if log.on_stderr:
        return FAILED
    raise error


def _say(sentence: str, code: int, log: Log) -> int:
    log.write("error", message=sentence, exit_code=code)
    if not log.on_stderr:
        tell(f"dupdetect: {escape_for_terminal(sentence)}")
    return code


def _say_system(error: OSError, log: Log) -> int:
    discard(sys.stdout)  # it may be the one that failed, and would fail again when Python closes it
    if isinstance(error, BrokenPipeError):
        return DONE  # who read our output has had enough of it
    where = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
    return _say(f"{where}{error.strerror or error}", FAILED, log)


def _say_usage(error: click.ClickException, log: Log) -> int:
    if log.on_stderr:
        return _say(error.format_message(), error.exit_code, log)
    import io

    message = io.StringIO()
    error.show(message)
    log.write("error", message=error.format_message(), exit_code=error.exit_code)
    tell(escape_for_terminal(message.getvalue()), end="")
    return error.exit_code


@contextmanager
def _compiling_told(log: Log) -> Iterator[None]:
    """Tell once, to a terminal and to the log, that code is compiled: nobody should wonder what takes so long."""
    from dupdetect._compiled.dispatch import compilations_told

    said = False

    def tell(_: str) -> None:
        nonlocal said
        if said:
            return
        said = True
        message = "compiling for this machine, once; it takes some 20 seconds (dupdetect warm does it beforehand)"
        log.write("note", message=message)
        if sys.stderr.isatty() and not log.on_stderr:
            print(f"dupdetect: note: {message}", file=sys.stderr)  # noqa: T201

    with compilations_told(tell):
        yield


@contextmanager
def _plain_warnings(log: Log) -> Iterator[None]:
    """Print warnings as a sentence, without the line of source that raised them."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        log.write("note", message=str(message))
        if not log.on_stderr:
            tell(f"dupdetect: note: {escape_for_terminal(str(message))}")

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


if __name__ == "__main__":
    sys.exit(main())
