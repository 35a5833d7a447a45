"""The request log kept whole and small: lines that a killed process owed, and the end of old ones.

The books are never touched: what a call cost stays for ever, only its line in the log ends.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import takewhile

from budgets.models import Posting, Tenant

from .call_log import Line, save
from .facts import Labels
from .models import LoggedCall, LogMark

PATIENCE_US = 10_000_000
DAY_US = 86_400_000_000
PAGE_ROWS = 1_000
PAGES_MAX = 1_000


def catch_up(now_us: int) -> int:
    """Lines for calls whose process was killed before it wrote them; returns how many."""
    return sum(_catch_up(tenant, now_us) for tenant in Tenant.objects.values_list("id", flat=True))


def _catch_up(tenant_id: int, now_us: int) -> int:
    """Looks through the postings once, in the order of the chain's gapless seq."""
    mark, _ = LogMark.objects.get_or_create(tenant_id=tenant_id)
    made = 0
    for _ in range(PAGES_MAX):
        rows = Posting.objects.filter(tenant_id=tenant_id, seq__gt=mark.seq).order_by("seq")
        page = list(takewhile(lambda row: row.posted_us < now_us - PATIENCE_US, rows[:PAGE_ROWS]))
        if not page:
            break
        made += _make_up(page)
        mark.seq = page[-1].seq
        mark.save(update_fields=["seq"])
    return made


def _make_up(page: list[Posting]) -> int:
    calls: dict[str, list[Posting]] = defaultdict(list)
    for posting in page:
        if posting.no == 0:
            calls[posting.call].append(posting)
    known = set(LoggedCall.objects.filter(call__in=calls).values_list("call", flat=True))
    lines = [_line(attempts) for call, attempts in calls.items() if call not in known]
    save(lines, [])
    return len(lines)


def _line(attempts: list[Posting]) -> Line:
    """What the postings of a call still tell of it."""
    last = attempts[-1]
    labels = Labels(last.end_user, last.tags)
    line = Line(last.call, last.tenant_id, last.key_id, last.model, labels, last.opened_us, False)
    line.provider = last.provider
    line.attempts = ",".join(posting.attempt for posting in attempts)
    line.milliseconds = (last.posted_us - attempts[0].opened_us) // 1000
    if last.outcome != "ok":
        line.status, line.code = 500, last.outcome
        line.message = "The gateway process ended during this call."
    return line


def prune(now_us: int) -> int:
    """Delete lines older than their tenant keeps them, a bounded number at a time."""
    deleted = 0
    for tenant_id, days in Tenant.objects.values_list("id", "retention_days"):
        old = LoggedCall.objects.filter(tenant_id=tenant_id, opened_us__lt=now_us - days * DAY_US)
        for _ in range(PAGES_MAX):
            page = list(old.values_list("id", flat=True)[:PAGE_ROWS])
            if not page:
                break
            deleted += LoggedCall.objects.filter(id__in=page).delete()[0]
    return deleted
