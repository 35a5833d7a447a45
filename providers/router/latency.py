"""A mean that forgets: exponentially weighted by age in seconds, not by number of samples."""

from __future__ import annotations

import math

FORGOTTEN = 0.05


class DecayingMean:
    """mean = sum(w_i * x_i) / sum(w_i), w_i = exp(-age_i / tau_seconds).

    A deployment that was slow an hour ago is unknown again, and so is tried again: the mean is
    None once the weights have decayed below 0.05 (three times tau after a single sample).
    """

    __slots__ = ("_at", "_sum", "_tau_seconds", "_weight")

    def __init__(self, tau_seconds: float) -> None:
        self._tau_seconds = tau_seconds
        self._at = 0.0
        self._sum = 0.0
        self._weight = 0.0

    def add(self, now: float, sample: float) -> None:
        kept = self._kept(now)
        self._sum = self._sum * kept + sample
        self._weight = self._weight * kept + 1.0
        self._at = max(self._at, now)

    def value(self, now: float) -> float | None:
        if self._weight * self._kept(now) < FORGOTTEN:
            return None
        return self._sum / self._weight

    def _kept(self, now: float) -> float:
        return math.exp(-max(0.0, now - self._at) / self._tau_seconds)
