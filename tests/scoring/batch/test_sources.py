"""Memory that stays in the process."""

import os

import pytest

from scoring.batch import sources

NAME = "_RJEM_MALLOC_CONF"


class TestPolars:
    """`sources.polars`."""

    def test_memory_stays_in_the_process(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The allocator is told before Polars is loaded."""
        monkeypatch.delenv(NAME, raising=False)
        assert sources.polars().__name__ == "polars"
        assert "dirty_decay_ms:10000" in os.environ[NAME]

    def test_what_an_operator_has_set_stays(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Somebody with little memory may want pages to go back at once."""
        monkeypatch.setenv(NAME, "dirty_decay_ms:0")
        sources.polars()
        assert os.environ[NAME] == "dirty_decay_ms:0"


class TestKeepPages:
    """`sources.keep_pages`."""

    def test_a_system_without_mallopt_is_no_fault(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only glibc has it."""
        sources.keep_pages()
        monkeypatch.setattr(sources.ctypes, "CDLL", lambda _name: object())
        sources.keep_pages()
