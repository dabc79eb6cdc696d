"""`dupdetect warm`: compiles beforehand what the first run would compile."""

from __future__ import annotations

import time

import click

from dupdetect.cli.options import quiet_option

_EXAMPLES = """
\b
Examples:
  dupdetect warm
  RUN pip install dupdetect && dupdetect warm            in a Dockerfile
"""


@click.command(epilog=_EXAMPLES)
@quiet_option
def warm(quiet: bool) -> None:
    """Compile for this machine, once, what runs on larger inputs need, so that the first one starts at once.

    The code is kept beside the installed package, or in NUMBA_CACHE_DIR if that is set, or in the user's cache folder.
    """
    from dupdetect.pipeline.warm import warm as compile_all

    start = time.perf_counter()
    compiled = compile_all()
    if not quiet:
        what = f"{compiled} functions compiled" if compiled else "nothing to compile"
        click.echo(f"{what}, {time.perf_counter() - start:,.1f} seconds")
