"""Prices by REST: rows that are added and closed, and never changed."""

from __future__ import annotations

import pytest

from gateway_project.models import Price
from tests.control.chain import told
from tests.control.rest import api, error, read

NEW = {"provider": "simulator", "model": "sim-echo", "rates": {"input_mtok": "2.50"}}
TIERED = {"base": "3", "tiers": [[200_000, "6"]]}


def test_an_override_closes_what_was_and_is_told() -> None:
    root = api()
    first = read(root.post("prices", NEW))

    second = root.post("prices", {**NEW, "rates": {"input_mtok": TIERED, "output_mtok": "1"}})

    assert second.status_code == 201
    assert read(second)["rates"] == {"input_mtok": TIERED, "output_mtok": "1"}
    assert read(root.get(f"prices/{first['id']}"))["valid_to"] is not None
    in_force = read(root.get("prices", q="ECHO", provider="simulator"))["results"]
    assert [row["id"] for row in in_force] == [read(second)["id"]]
    assert len(read(root.get("prices", history="true"))["results"]) == 2
    entry = told()[-1]
    assert (entry["action"], entry["before_rates"]) == ("price.override", "input_mtok=2.50")


@pytest.mark.parametrize(
    ("rates", "param"),
    [
        ({}, "rates.input_mtok"),
        ({"output_mtok": "1"}, "rates.input_mtok"),
        ({"input_mtok": 2.5}, "rates.input_mtok"),
        ({"input_mtok": "1e5"}, "rates.input_mtok"),
        ({"input_mtok": "NaN"}, "rates.input_mtok"),
        ({"input_mtok": "-1"}, "rates.input_mtok"),
        ({"input_mtok": "1000000000000"}, "rates.input_mtok"),
        ({"input_mtok": {"base": "1"}}, "rates.input_mtok"),
        ({"input_mtok": {"base": "1", "tiers": []}}, "rates.input_mtok"),
        ({"input_mtok": {"base": "1", "tiers": [["a", "1"]]}}, "rates.input_mtok"),
        ({"input_mtok": {"base": "1", "tiers": [[1, 1]]}}, "rates.input_mtok"),
        ({"input_mtok": "1", "variants": []}, "rates.variants"),
        ([], "rates"),
    ],
)
def test_what_is_no_price_is_refused_by_name(rates: object, param: str) -> None:
    assert error(api().post("prices", {**NEW, "rates": rates})) == (400, param)
    assert not Price.objects.exists()


def test_an_override_ends_once() -> None:
    root = api()
    made = read(root.post("prices", NEW))

    restored = root.post(f"prices/{made['id']}/restore")

    assert read(restored)["price"]["is_override"] is False
    assert error(root.post(f"prices/{made['id']}/restore")) == (409, None)
    assert told()[-1]["action"] == "price.restore"


def test_the_installed_list_is_taken_over_once_and_overrides_stay() -> None:
    root = api()
    made = read(root.post("prices", NEW))

    first, second = read(root.post("prices/sync")), read(root.post("prices/sync"))

    assert first["added"] > 100
    assert second == {"added": 0, "closed": 0}
    assert read(root.get(f"prices/{made['id']}"))["valid_to"] is None
