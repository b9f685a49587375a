"""A wrong configuration is explained: all mistakes at once, each with its line and what to do."""

import re
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from edge_agent.config import ConfigInvalid, load
from protocols.points import Lane
from protocols.uplink import topics

SITE = UUID("0192f0c0-0000-7000-8000-000000000001")
_REST = "table: holding, word_order: big, every_s: 60, deadband: 0"
GOOD = f"""\
version: 1
site: {SITE}
gateway: LT-GW1
broker: {{host: 127.0.0.1, port: 1883, user: "{topics.user(SITE)}", password: secret}}
store: outbox
buses:
  - code: B1
    host: 127.0.0.1
    port: 15020
    timeout_s: 1.0
    devices:
      - unit_id: 1
        points:
          - {{point: 17, code: energy, address: 0, type: uint32, scale: 0.01, lane: meter, {_REST}}}
          - {{point: 18, code: power, table: holding, address: 2, type: uint32, lane: tele}}
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigInvalid) as error:
        load(write(tmp_path, text))
    return [line.removeprefix(f"{tmp_path}/") for line in str(error.value).splitlines()]


def test_a_good_file_is_read(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, GOOD))
    config = loaded.config
    assert config.store == tmp_path / "outbox"
    assert config.buses[0].poll_every_s == 5
    assert {number: point.lane for number, point in config.points.items()} == {
        17: Lane.METER,
        18: Lane.TELE,
    }
    assert str(config.points[17].scale) == "0.01"
    assert len(loaded.hash) == 16
    assert "secret" not in repr(config)


@pytest.mark.parametrize("written", ["0.001", '"0.001"', "1e-3"])
def test_a_scale_is_exact_however_it_is_written(tmp_path: Path, written: str) -> None:
    text = GOOD.replace("scale: 0.01", f"scale: {written}")
    assert load(write(tmp_path, text)).config.points[17].scale == Decimal("0.001")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    wrong = (
        GOOD.replace("unit_id: 1", "unit_id: 300")
        .replace("address: 0,", "address: 65536,")
        .replace("type: uint32, lane: t", "type: uint23, lane: t")
        .replace("point: 18", "point: 17")
        .replace("port: 15020", "port: 0")
        .replace("gateway: LT-GW1", "gatewy: LT-GW1")
    )
    found = mistakes(tmp_path, wrong)
    assert found == [
        "config.yaml:1: gateway: is missing",
        "config.yaml:3: gatewy: is not a key that the agent knows — check its spelling",
        (
            "config.yaml:9: buses[0].port: 0 is not in 1…65535 — "
            "use the TCP port of the collector or broker"
        ),
        (
            "config.yaml:12: buses[0].devices[0].unit_id: 300 is not in 0…247 — "
            "use the address set on the meter"
        ),
        (
            "config.yaml:14: buses[0].devices[0].points[0].address: 65536 is not in 0…65535 — "
            "registers count from 0; a manual's 40001 is holding register 0"
        ),
        (
            "config.yaml:15: buses[0].devices[0].points[1].point: point 17 is already on line 14 — "
            "give each point its own number"
        ),
        (
            "config.yaml:15: buses[0].devices[0].points[1].type: 'uint23' is not 'int16', "
            "'uint16', 'int32', 'uint32', 'int64', 'uint64', 'float32' or 'float64'"
        ),
    ]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("address: 0,", "address: 65535,", r":14: .*65535 of type uint32 ends beyond"),
        ("scale: 0.01", "scale: tenth", r":14: .*scale: 'tenth' is not a number"),
        ("version: 1", "version: 2", r":1: version: 2 is not 1"),
        ("scale: 0.01", "scale: 0", r":14: .*scale of 0 makes every value 0"),
        ("port: 1883", 'port: "1883"', r":4: broker.port: '1883' is not a valid integer"),
        ("every_s: 60", "every_s: 0", r":14: .*every_s: 0 is not in 1…86400"),
        ("deadband: 0", "deadband: -1", r":14: .*deadband: -1 is not in 0…"),
        ("lane: meter", "lane: event", r":14: .*lane: 'event' is not 'meter' or 'tele'"),
        (f"site: {SITE}", "site: home", r":2: site: 'home'"),
        (topics.user(SITE), "1/other", r":1: the file: broker.user is '1/other', this site's is"),
        ("    port: 15020", "    port: 15020\n    port: 9", r":10: buses\[0\].port: given twice"),
        ("buses:\n", "buses: []\nother:\n", r":6: buses: .*at least 1 item"),
        ("  - code: B1", "  - code: [B1", r": not YAML: "),
        ("store: outbox", "store: *nothing", r":5: not YAML: "),
    ],
)
def test_each_mistake_names_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    found = "\n".join(mistakes(tmp_path, GOOD.replace(old, new)))
    assert re.search(says, found), found


def test_a_second_device_with_the_address_of_the_first(tmp_path: Path) -> None:
    twice = GOOD + "      - unit_id: 1\n        points: [{point: 19, code: a, table: holding,"
    twice += " address: 0, type: int16, lane: tele}]\n"
    assert mistakes(tmp_path, twice) == [
        (
            "config.yaml:16: buses[0].devices[1].unit_id: device 1 is already on line 12 — "
            "two meters on a bus never share an address"
        )
    ]


@pytest.mark.parametrize("text", ["", "[]", "buses: 3", "\x00", "version: 1\nbuses: [3]"])
def test_something_else_entirely_is_refused(tmp_path: Path, text: str) -> None:
    assert mistakes(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="No such file"):
        load(tmp_path / "absent.yaml")
