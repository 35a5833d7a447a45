"""What a writer remembers of the rows that it locked, good while nobody else has written since.

A writer that has the database to itself reads the same few rows again for every call, as it left
them. A database that can say whether anybody else has written (`Session.mark`) need not be asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from audit.chain import Head
from budgets.operations import State, Window

from .sessions import Mark

ROWS_MAX = 200_000


class Memory:
    """Windows, rates and heads of one writer, all of them as they stood at one mark."""

    def __init__(self) -> None:
        self._mark: Mark | None = None
        self._windows: dict[int, Window] = {}
        self._rates: dict[int, int] = {}
        self._heads: dict[int, Head] = {}
        self._directory_version = 0

    def look(self, mark: Mark | None) -> None:
        """Inside a transaction, before `recall`: forget what others may have changed."""
        rows = len(self._windows) + len(self._rates) + len(self._heads)
        if mark is None or mark != self._mark or rows > ROWS_MAX:
            self.forget()

    def recall(
        self, windows: Collection[int], rates: Collection[int], tenants: Collection[int]
    ) -> tuple[State, dict[int, Head]] | None:
        """These rows, where all of them are known.

        `decide` moves money in the windows of the state: who asked must `keep` or `forget`.
        """
        if self._mark is None:
            return None
        try:
            state = State(
                windows_by_id={each: self._windows[each] for each in windows},
                rates={each: self._rates[each] for each in rates},
                directory_version=self._directory_version,
            )
            return state, {each: self._heads[each] for each in tenants}
        except KeyError:
            return None

    def keep(self, mark: Mark | None, state: State, heads: Mapping[int, Head]) -> None:
        """Rows as a transaction has left them, and its mark as it ended; without one, nothing."""
        if mark is None:
            return
        self._mark = mark
        self._windows |= state.windows_by_id
        self._rates |= state.rates
        self._heads |= heads
        self._directory_version = state.directory_version

    def forget(self) -> None:
        self._mark = None
        self._windows.clear()
        self._rates.clear()
        self._heads.clear()
