"""A progress bar on standard error: drawn in place on a terminal, a line at each tenth elsewhere."""

import shutil
import sys
from typing import Self, TextIO

_WIDTH = 30


class Bar:
    """Tells one long piece of work; `with Bar("Seeding") as bar: bar.step("李明远", 3, 40)`."""

    def __init__(self, title: str, stream: TextIO = sys.stderr) -> None:
        """`title` says what the work is; `stream` is where a person looks."""
        self._title = title
        self._stream = stream
        self._drawn = stream.isatty()
        self._tenth = -1

    def __enter__(self) -> Self:
        """Begin; nothing is shown before the first step."""
        return self

    def __exit__(self, *_reason: object) -> None:
        """Leave the last state on a line of its own."""
        if self._drawn and self._tenth >= 0:
            self._stream.write("\n")

    def step(self, label: str, done: int, total: int) -> None:
        """Show that `done` of `total` parts are over and that `label` is the latest."""
        tenth = done * 10 // max(total, 1)
        if self._drawn:
            filled = _WIDTH * done // max(total, 1)
            line = f"{self._title} [{'#' * filled}{'.' * (_WIDTH - filled)}] {done}/{total} {label}"
            room = shutil.get_terminal_size().columns - 1
            self._stream.write(f"\r\x1b[K{line[:room]}")
        elif tenth > self._tenth:
            self._stream.write(f"{self._title}: {done}/{total} {label}\n")
        self._tenth = tenth
        self._stream.flush()


class Stages:
    """Tells long work of several stages, a bar each; `with Stages() as stages: stages.step("scoring", 3, 40)`."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        """`stream` is where a person looks."""
        self._stream = stream
        self._stage: str = ""
        self._bar = Bar("", stream)

    def __enter__(self) -> Self:
        """Begin; nothing is shown before the first step."""
        return self

    def __exit__(self, *_reason: object) -> None:
        """Leave the last bar as it is."""
        self._bar.__exit__()

    def step(self, stage: str, done: int, total: int) -> None:
        """Show that `done` of `total` parts of a stage are over."""
        if stage != self._stage:
            self._bar.__exit__()
            self._stage = stage
            self._bar = Bar(stage, self._stream)
        self._bar.step("", done, total)
