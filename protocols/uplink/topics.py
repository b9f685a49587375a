"""Names of the uplink's MQTT topics: v1/{shard}/{site}/…"""

import re
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

from protocols.points import Lane

SHARDS = 1024
"""Fixed for ever: a site's shard is part of its gateways' user names and topics."""

_TOPIC = re.compile(
    r"v1/(?P<shard>0|[1-9][0-9]{0,3})/(?P<site>[0-9a-f-]{36})/(?P<leaf>up/(?:event|meter|tele)|ack|live|state|dn/cmd)"
)


class NotATopic(ValueError):
    def __init__(self, topic: str) -> None:
        super().__init__(f"not a topic of the uplink: {topic[:200]!r}")


class Address(NamedTuple):
    shard: int
    site: UUID
    leaf: str


def shard_of(site: UUID) -> int:
    return int.from_bytes(blake2b(site.bytes, digest_size=8).digest(), "big") % SHARDS


def user(site: UUID) -> str:
    """The broker's user name, and the client id, of a site's gateway."""
    return f"{shard_of(site)}/{site}"


def up(site: UUID, lane: Lane) -> str:
    return f"v1/{user(site)}/up/{lane}"


def ack(site: UUID) -> str:
    return f"v1/{user(site)}/ack"


def live(site: UUID) -> str:
    return f"v1/{user(site)}/live"


def state(site: UUID) -> str:
    return f"v1/{user(site)}/state"


def command(site: UUID) -> str:
    return f"v1/{user(site)}/dn/cmd"


def parse(topic: str) -> Address:
    """Split a topic; the shard must be the site's own."""
    match = _TOPIC.fullmatch(topic)
    if match is None:
        raise NotATopic(topic)
    try:
        site = UUID(match["site"])
    except ValueError:
        raise NotATopic(topic) from None
    shard = int(match["shard"])
    if shard != shard_of(site):
        raise NotATopic(topic)
    return Address(shard, site, match["leaf"])
