"""The broker's rights: a gateway speaks for its own site, and for no other."""

import asyncio
import stat
from collections.abc import Iterator

import aiomqtt
import pytest

from cloud.embedded.broker import PLATFORM_USER, Broker
from tests.kit.broker import private_broker

pytestmark = pytest.mark.processes

MINE = "417/0198f3a2-0000-7000-8000-000000000001"
OTHER = "18/0198f3a2-0000-7000-8000-000000000002"


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with private_broker({MINE: "mine", OTHER: "other"}) as running:
        yield running


def gateway(broker: Broker, user: str, password: str) -> aiomqtt.Client:
    return aiomqtt.Client(
        "127.0.0.1",
        broker.port_gateways,
        username=user,
        password=password,
        protocol=aiomqtt.ProtocolVersion.V5,
    )


def platform(broker: Broker) -> aiomqtt.Client:
    return aiomqtt.Client(
        "127.0.0.1",
        broker.port_platform,
        username=PLATFORM_USER,
        password=broker.platform_password,
        protocol=aiomqtt.ProtocolVersion.V5,
    )


async def heard(listener: aiomqtt.Client) -> list[str]:
    """Topics until the one that ends a test."""
    topics: list[str] = []
    async with asyncio.timeout(5):
        async for message in listener.messages:
            if message.topic.value.endswith("/end"):
                break
            topics.append(message.topic.value)
    return topics


class TestAGateway:
    @pytest.mark.parametrize("leaf", ["up/meter", "up/event", "state", "live"])
    async def test_speaks_for_its_site(self, broker: Broker, leaf: str) -> None:
        async with platform(broker) as listener, gateway(broker, MINE, "mine") as speaker:
            await listener.subscribe("v1/#", qos=1)

            await speaker.publish(f"v1/{MINE}/{leaf}", b"x", qos=1)
            await listener.publish("v1/end", qos=1)

            assert await heard(listener) == [f"v1/{MINE}/{leaf}"]

    @pytest.mark.parametrize(
        "topic", [f"v1/{OTHER}/up/meter", f"v1/{OTHER}/state", f"v1/{MINE}/dn/cmd", "ui/live"]
    )
    async def test_cannot_speak_for_another(self, broker: Broker, topic: str) -> None:
        async with platform(broker) as listener, gateway(broker, MINE, "mine") as speaker:
            await listener.subscribe("#", qos=1)

            # Acknowledged all the same (with 0x87, which the client does not look at).
            await speaker.publish(topic, b"x", qos=1)
            await listener.publish("v1/end", qos=1)

            assert await heard(listener) == []

    async def test_hears_only_what_is_meant_for_it(self, broker: Broker) -> None:
        async with platform(broker) as speaker, gateway(broker, MINE, "mine") as listener:
            await listener.subscribe("#", qos=1)

            await speaker.publish(f"v1/{OTHER}/dn/cmd", b"x", qos=1)
            await speaker.publish(f"v1/{MINE}/ack", b"x", qos=1)
            await speaker.publish(f"v1/{MINE}/dn/end", b"x", qos=1)

            assert await heard(listener) == [f"v1/{MINE}/ack"]

    async def test_is_refused_with_a_wrong_password(self, broker: Broker) -> None:
        with pytest.raises(aiomqtt.MqttError, match=r"(?i)not authorized|bad user name"):
            async with gateway(broker, MINE, "other"):
                pass

    async def test_cannot_evict_another_by_its_client_id(self, broker: Broker) -> None:
        async with gateway(broker, OTHER, "other") as victim:
            thief = aiomqtt.Client(
                "127.0.0.1",
                broker.port_gateways,
                identifier=OTHER,
                username=MINE,
                password="mine",
                protocol=aiomqtt.ProtocolVersion.V5,
            )
            async with thief:
                await victim.publish(f"v1/{OTHER}/up/meter", b"x", qos=1)


class TestUsers:
    async def test_are_let_in_while_others_stay_connected(self, broker: Broker) -> None:
        fresh = "9/0198f3a2-0000-7000-8000-000000000009"
        async with gateway(broker, MINE, "mine") as connected:
            broker.write_users({MINE: "mine", OTHER: "other", fresh: "fresh"})
            broker.reload()
            await asyncio.sleep(0.2)

            async with gateway(broker, fresh, "fresh") as speaker:
                await speaker.publish(f"v1/{fresh}/up/meter", b"x", qos=1)
            await connected.publish(f"v1/{MINE}/up/meter", b"x", qos=1)

    def test_are_refused_with_a_name_that_widens_their_rights(self, broker: Broker) -> None:
        with pytest.raises(ValueError, match=r"may not hold"):
            broker.write_users({"1/+": "x"})

    def test_lie_in_files_that_nobody_else_reads(self, broker: Broker) -> None:
        modes = {
            path.name: stat.S_IMODE(path.stat().st_mode)
            for path in broker.home.iterdir()
            if path.is_file()
        }

        assert set(modes.values()) == {0o600}
