"""Why a call went where it went: every candidate with its reason, every attempt with its outcome.

Holds names, figures and kinds of failure; never a prompt, a key or a provider's own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

UNDER_WAY = "under way"


class Verdict(StrEnum):
    CHOSEN = "chosen"
    PASSED_OVER = "passed over"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Considered:
    """One candidate of one choice. `figures` are those that the strategy looked at."""

    deployment: str
    label: str
    verdict: Verdict
    reason: str
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pick:
    """One choice: `at_seconds` since the call began, and all deployments of the group."""

    at_seconds: float
    group: str
    strategy: str
    considered: tuple[Considered, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to a provider. `outcome` is `ok`, `abandoned` or the kind of the failure."""

    number: int
    at_seconds: float
    seconds: float
    group: str
    deployment: str
    label: str
    outcome: str
    status: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_nanos: int | None = None
    is_probe: bool = False
    is_forced: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """What happened between: a wait, a move to another group, a retry that was not allowed."""

    at_seconds: float
    text: str


@dataclass(slots=True)
class Decision:
    """The record of one call, in order. Bounded, because attempts, waits and moves are."""

    model: str
    steps: list[Pick | Attempt | Note] = field(default_factory=list)
    ending: str = UNDER_WAY

    @property
    def picks(self) -> list[Pick]:
        return [step for step in self.steps if isinstance(step, Pick)]

    @property
    def attempts(self) -> list[Attempt]:
        return [step for step in self.steps if isinstance(step, Attempt)]

    def table(self) -> str:
        """The record for a person to read, in columns."""
        rows = [row for step in self.steps for row in _rows(step)]
        widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
        lines = [f"{self.model}: {self.ending}"]
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, (*widths, 0), strict=True)]
            lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)


Row = tuple[str, str, str, str, str]


def _rows(step: Pick | Attempt | Note) -> list[Row]:
    at = f"{step.at_seconds:.3f}"
    match step:
        case Note():
            return [(at, "note", "", "", step.text)]
        case Attempt():
            return [(at, f"attempt {step.number}", step.deployment, step.label, _outcome(step))]
        case Pick():
            head = (at, "pick", step.group, "", f"by {step.strategy}")
            return [head, *(_row(each) for each in step.considered)]


def _row(each: Considered) -> Row:
    figures = ", ".join(f"{name} {value:g}" for name, value in each.figures.items())
    reason = f"{each.reason} ({figures})" if figures else each.reason
    return ("", str(each.verdict), each.deployment, each.label, reason)


def _outcome(attempt: Attempt) -> str:
    words = [attempt.outcome]
    if attempt.status is not None:
        words.append(f"(HTTP {attempt.status})")
    words.append(f"after {attempt.seconds:.3f} s")
    if attempt.output_tokens is not None:
        words.append(f"{attempt.input_tokens or 0} + {attempt.output_tokens} tokens")
    if attempt.cost_nanos is not None:
        words.append(f"{attempt.cost_nanos} nanos")
    if attempt.is_probe:
        words.append("as a probe")
    if attempt.is_forced:
        words.append("although resting")
    return " ".join(words)
