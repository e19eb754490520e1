"""The box under test as a process of its own: started by a command, watched, killed, restarted.

The command receives a configuration file and the name of a ready file; the child writes its
addresses there once it listens, and exits when its standard input closes.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from bench.launching import Launch, Running, start_program

__all__ = ["BoxFailure", "ChildBox"]


class BoxFailure(Exception):
    """The box did not start, or is no longer there. The text says what it printed last."""


class ChildBox:
    """One child process.

    Args:
        role: `source` or `consumer`; names its files.
        command: program and arguments; `{config}` and `{ready}` are replaced by file names.
        config: the configuration file, already written.
        directory: where the ready file and the log go.
        launch: makes a process of the command.
    """

    def __init__(
        self,
        role: str,
        command: Sequence[str],
        config: Path,
        directory: Path,
        *,
        launch: Launch = start_program,
    ) -> None:
        self.role = role
        self.config = config
        self.ready_file = directory / f"{role}.ready.json"
        self.log_file = directory / f"{role}.log"
        self._command = [
            part.replace("{config}", str(config)).replace("{ready}", str(self.ready_file))
            for part in command
        ]
        self._launch = launch
        self._process: Running | None = None
        self.addresses: dict[str, str] = {}

    @property
    def pid(self) -> int:
        """The process id.

        Raises:
            BoxFailure: not running.
        """
        if self._process is None:
            raise BoxFailure(f"{self.role} : le processus n'est pas démarré")
        return self._process.pid

    def spawn(self) -> None:
        """Start the process without waiting for it."""
        self._process = self._launch(self._command, self.log_file)

    def wait_ready(self, deadline_s: float = 30.0) -> dict[str, str]:
        """Addresses by name once the child listens.

        A ready file of another pid belongs to an earlier life.

        Raises:
            BoxFailure: it exited, or the deadline passed.
        """
        pause = threading.Event()
        limit = time.monotonic() + deadline_s
        while time.monotonic() < limit:
            process = self._process
            if process is None or process.code() is not None:
                code = process.code() if process else None
                raise BoxFailure(f"{self.role} s'est arrêté (code {code}) :\n{self.last_words()}")
            ready = self._read_ready()
            if ready is not None and ready.get("pid") == process.pid:
                self.addresses = {
                    name: value for name, value in ready.items() if isinstance(value, str)
                }
                return self.addresses
            pause.wait(0.01)
        raise BoxFailure(
            f"{self.role} n'est pas prêt après {deadline_s:.0f} s :\n{self.last_words()}"
        )

    def start(self, deadline_s: float = 30.0) -> dict[str, str]:
        """`spawn` and `wait_ready`."""
        self.spawn()
        return self.wait_ready(deadline_s)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone: a power cut."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.close_stdin()

    def stop(self, deadline_s: float = 5.0) -> int | None:
        """Close standard input and wait; kill when it does not obey. Returns the exit code."""
        process = self._process
        if process is None:
            return None
        process.close_stdin()
        if not process.wait(deadline_s):
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)  # and what it has started
            process.wait()
        self._process = None
        return process.code()

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.code() is None

    def ended(self) -> int | None:
        """The exit code of a process that ended by itself, None while it runs or was stopped."""
        return self._process.code() if self._process is not None else None

    def last_words(self, lines: int = 12) -> str:
        """The end of what it printed."""
        if not self.log_file.exists():
            return "(rien)"
        text = self.log_file.read_text(errors="replace").splitlines()
        return "\n".join(text[-lines:]) or "(rien)"

    def reset_peak_memory(self) -> None:
        """Start a new peak-memory phase (Linux `clear_refs`)."""
        try:
            Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        except OSError as error:
            raise BoxFailure(f"mémoire non mesurable sur cette machine : {error}") from None

    def peak_memory(self) -> int:
        """Peak resident memory of the phase, in bytes (VmHWM)."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError as error:
            raise BoxFailure(f"mémoire non mesurable sur cette machine : {error}") from None
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise BoxFailure("mémoire non mesurable sur cette machine : VmHWM absent de /proc")

    def _read_ready(self) -> dict[str, object] | None:
        try:
            content = json.loads(self.ready_file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return content if isinstance(content, dict) else None
