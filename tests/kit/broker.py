"""A private MQTT broker for the tests that need one."""

import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from cloud.embedded.broker import Broker

_CHECKOUT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def private_broker(gateways: Mapping[str, str] | None = None) -> Iterator[Broker]:
    """A running broker with the users {"{shard}/{site}": password} and "platform"; call
    write_users() and reload() on it to change them."""
    place = Path(tempfile.gettempdir()) / f"wuye-broker-{secrets.token_hex(6)}"
    place.mkdir(mode=0o711)
    broker = Broker(place / "broker", tools=_CHECKOUT / ".tools")
    try:
        broker.prepare()
        broker.write_users(gateways or {})
        broker.start()
        yield broker
    finally:
        broker.stop()
        shutil.rmtree(place)
