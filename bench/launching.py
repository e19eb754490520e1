"""How a command becomes a process: a program of its own, or the fork of one that has loaded it.

A program of ours takes a second to load its modules; whoever starts a hundred of them loads them
once (`ForkServer`). Nothing forks plainly: threads would not survive it.
"""

from __future__ import annotations

import atexit
import gc
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

__all__ = ["ForkServer", "Launch", "Running", "forking", "start_program", "with_python"]


class Running(Protocol):
    """A process that was started, leader of its own session."""

    @property
    def pid(self) -> int:
        """The process id."""
        ...

    def code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        ...

    def wait(self, deadline_s: float | None = None) -> bool:
        """Whether it ended before the deadline; without one, waits for its end."""
        ...

    def kill(self) -> None:
        """SIGKILL."""
        ...

    def close_stdin(self) -> None:
        """Its standard input ends: a box stops then."""
        ...


def with_python(command: Sequence[str]) -> tuple[str, ...]:
    """A profile's `{python}` is the interpreter that runs the bench."""
    return tuple(part.replace("{python}", sys.executable) for part in command)


Launch = Callable[[Sequence[str], Path], Running]
"""Starts a command, its output at the end of a file."""


class _Program:
    """A program of its own."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def code(self) -> int | None:
        return self._process.poll()

    def wait(self, deadline_s: float | None = None) -> bool:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(deadline_s)
        return self._process.returncode is not None

    def kill(self) -> None:
        self._process.kill()

    def close_stdin(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()


def start_program(command: Sequence[str], log: Path) -> Running:
    """Start a program: the `Launch` of every box that is started once.

    Raises:
        OSError: there is no such program.
    """
    return _Program(command, log)


def forking(preload: Sequence[str]) -> Any:
    """The context of processes that are forks of one that has loaded the modules named, where the
    platform has such a server; elsewhere each loads them for itself."""
    context: Any = get_context("forkserver" if "forkserver" in get_all_start_methods() else "spawn")
    context.set_forkserver_preload(list(preload))
    return context


class ForkServer:
    """The `Launch` of many boxes: forks of a process that has loaded the modules named.

    Only `python -m PACKAGE` with this interpreter can be forked, by calling the `main` of the
    package's `__main__`; any other command is a program of its own. By spawn where the platform
    has no fork server. There is one such process for each that launches: the modules of its first
    box are those that it loads.
    """

    def __init__(self, preload: Sequence[str] = ()) -> None:
        self._context = forking(preload)

    def __call__(self, command: Sequence[str], log: Path) -> Running:
        if list(command[:2]) != [sys.executable, "-m"]:
            return start_program(command, log)
        return _Fork(self._context, command[2], list(command[3:]), log)


class _Fork:
    """A fork of the server: its standard input is a pipe of ours."""

    def __init__(self, context: Any, package: str, arguments: list[str], log: Path) -> None:
        theirs, self._stdin = context.Pipe(duplex=False)
        self._process = context.Process(target=_become, args=(package, arguments, theirs, log))
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        pid: int = self._process.pid
        return pid

    def code(self) -> int | None:
        code: int | None = self._process.exitcode
        return code

    def wait(self, deadline_s: float | None = None) -> bool:
        self._process.join(deadline_s)
        return self.code() is not None

    def kill(self) -> None:
        self._process.kill()

    def close_stdin(self) -> None:
        self._stdin.close()


def _become(package: str, arguments: list[str], stdin: Connection, log: Path) -> None:
    """In the fork: what the interpreter does for a program, then `main`."""
    gc.freeze()  # what was loaded before is no garbage, and is looked for in vain
    if sys.platform != "win32":
        os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for standard, given in ((0, stdin.fileno()), (1, output), (2, output)):
        os.dup2(given, standard)
    sys.stdin = os.fdopen(0, closefd=False)
    try:
        sys.exit(import_module(f"{package}.__main__").main(arguments))
    finally:
        # multiprocessing ends its children by `os._exit`: a journal would lose its last lines.
        atexit._run_exitfuncs()
