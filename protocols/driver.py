"""The contract of every driver."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from protocols.points import Block


class Driver(ABC):
    """A conversation with one device, made with the points that it may be asked for.

    Enter it to connect, leave it to disconnect; it never reconnects by itself. Every method raises
    DriverError only. Nothing here logs: the supervisor does. Calls are not concurrent. After a
    LinkError other than DeviceSilent, or a FrameError, the connection is spent: only leaving and
    entering again helps. The same holds after a call was cancelled.
    """

    @abstractmethod
    async def __aenter__(self) -> Self: ...

    @abstractmethod
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    @abstractmethod
    async def read(self, points: Sequence[int]) -> Block:
        """Read in one pass, in the order asked, as columns.

        A point that the device refuses comes back as NaN with Quality.BAD, not as an exception.
        Raises PointConfigError for a point that the device was not made with.
        """

    @abstractmethod
    async def write(self, point: int, value: float) -> None:
        """Write, and return when the device has confirmed.

        Raises DeviceRefusal with the device's own code, PointConfigError for a value that the
        register cannot hold. After ReadTimeout or LinkLost the effect is unknown.
        """
