"""Topics of a site: built, taken apart, and refused when they are somebody else's."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.points import Lane
from protocols.uplink import topics

SITE = UUID("0192f0c0-0000-7000-8000-000000000001")


def test_a_shard_never_changes() -> None:
    """Worked out with the shell: printf of the 16 bytes | b2sum -l 64, modulo 1024."""
    assert topics.shard_of(SITE) == 0xD71AB2187E6E789A % 1024 == 154


@given(st.uuids(), st.sampled_from(Lane))
def test_a_topic_comes_apart_as_it_was_built(site: UUID, lane: Lane) -> None:
    assert topics.parse(topics.up(site, lane)) == (topics.shard_of(site), site, f"up/{lane}")
    for build, leaf in (
        (topics.ack, "ack"),
        (topics.live, "live"),
        (topics.state, "state"),
        (topics.command, "dn/cmd"),
    ):
        assert topics.parse(build(site)).leaf == leaf
        assert build(site).startswith(f"v1/{topics.user(site)}/")


@pytest.mark.parametrize(
    "topic",
    [
        "",
        f"v2/{topics.user(SITE)}/ack",
        f"v1/{topics.user(SITE)}/up/other",
        f"v1/{topics.user(SITE)}/ack/more",
        f"v1/{(topics.shard_of(SITE) + 1) % 1024}/{SITE}/ack",
        f"v1/0{topics.shard_of(SITE)}/{SITE}/ack",
        f"v1/{topics.shard_of(SITE)}/{'-' * 36}/ack",
        f"v1/{topics.user(SITE)}/ack\n",
    ],
)
def test_another_topic_is_refused(topic: str) -> None:
    with pytest.raises(topics.NotATopic):
        topics.parse(topic)
