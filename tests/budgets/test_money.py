from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budgets.money import (
    NANOS_MAX,
    NANOS_PER_DOLLAR,
    BadAmount,
    decimal_text,
    dollars,
    parse_dollars,
)

PLAIN = re.compile(r"[0-9]+(\.[0-9]{1,9})?")
amounts = st.integers(min_value=0, max_value=NANOS_MAX)


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("0", 0),
        ("0.00", 0),
        ("4", 4 * NANOS_PER_DOLLAR),
        ("4.00", 4 * NANOS_PER_DOLLAR),
        ("0.1", 100_000_000),
        ("0.000000001", 1),
        ("12.345678901", 12_345_678_901),
        ("007.50", 7_500_000_000),
        ("900000000", NANOS_MAX),
        ("900000000.000000000", NANOS_MAX),
    ],
)
def test_an_amount_is_read_to_the_last_nano(text: str, nanos: int) -> None:
    assert parse_dollars(text) == nanos


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        " 1",
        "1 ",
        "1\n",
        "+1",
        "-1",
        "-0",
        "$1",
        "1e3",
        "1E-3",
        "NaN",
        "Infinity",
        "inf",
        "0x10",
        "1_000",
        "1,000",
        "1,5",
        ".5",
        "5.",
        "1.2.3",
        "1.0000000001",
        "0.0000000000",
        "\N{ARABIC-INDIC DIGIT THREE}",
        "\N{FULLWIDTH DIGIT ONE}",
        "1" * 5_000,
    ],
)
def test_a_text_that_is_no_plain_amount_is_refused(text: str) -> None:
    with pytest.raises(BadAmount, match="is not an amount of dollars"):
        parse_dollars(text)


@pytest.mark.parametrize("text", ["900000000.000000001", "900000001", "9999999999.999999999"])
def test_an_amount_above_the_most_that_a_row_holds_is_refused(text: str) -> None:
    with pytest.raises(BadAmount, match=r"is more than 900000000\.00 dollars"):
        parse_dollars(text)


def test_a_bad_amount_is_a_value_error_that_does_not_repeat_a_long_text() -> None:
    with pytest.raises(ValueError, match="dollars") as caught:
        parse_dollars("x" * 5_000)

    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("nanos", "text"),
    [
        (0, "$0.00"),
        (1, "$0.000000001"),
        (100_000_000, "$0.10"),
        (110_000_000, "$0.11"),
        (111_000_000, "$0.111"),
        (12_345_678_901, "$12.345678901"),
        (5 * NANOS_PER_DOLLAR, "$5.00"),
        (NANOS_MAX, "$900000000.00"),
        (-100_000_000, "-$0.10"),
    ],
)
def test_dollars_show_every_decimal_and_at_least_two(nanos: int, text: str) -> None:
    assert dollars(nanos) == text


def test_the_text_without_a_sign_keeps_the_minus() -> None:
    assert (decimal_text(100_000_000), decimal_text(-1)) == ("0.10", "-0.000000001")


@given(amounts)
def test_what_is_shown_reads_back_as_the_same_amount(nanos: int) -> None:
    assert parse_dollars(decimal_text(nanos)) == nanos


@given(amounts)
def test_the_text_is_the_exact_decimal_value(nanos: int) -> None:
    assert Decimal(decimal_text(nanos)).scaleb(9) == nanos
    assert dollars(nanos) == f"${decimal_text(nanos)}"


@given(st.text("0123456789.+-eE_, $", max_size=24).filter(lambda text: not PLAIN.fullmatch(text)))
def test_no_other_text_is_an_amount(text: str) -> None:
    with pytest.raises(BadAmount):
        parse_dollars(text)


@given(st.integers(0, 899_999_999), st.text("0123456789", min_size=1, max_size=9))
def test_every_plain_amount_has_its_decimal_value(whole: int, decimals: str) -> None:
    text = f"{whole}.{decimals}"

    assert parse_dollars(text) == Decimal(text).scaleb(9)
