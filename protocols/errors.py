"""What can go wrong between a driver and its device.

* DriverError
  + LinkError          cannot reach the device                        -> retry later
    x ConnectFailed    no connection
    x ReadTimeout      the request left, nothing came back in time
    x LinkLost         the connection broke
    x DeviceSilent     the gateway before it says that the device does not answer; the link holds
  + FrameError         the peer broke the protocol                    -> drop the connection
  + DeviceRefusal      the device answered "no"                       -> show its code
  + PointConfigError   our configuration is wrong                     -> tell the operator
"""


class DriverError(Exception):
    """Base of what a driver raises; the text is one line for an operator."""


class LinkError(DriverError):
    pass


class ConnectFailed(LinkError):
    pass


class ReadTimeout(LinkError):
    pass


class LinkLost(LinkError):
    pass


class DeviceSilent(LinkError):
    pass


class FrameError(DriverError):
    pass


class DeviceRefusal(DriverError):
    """`code` is the device's own."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"refused with code {code}: {text}")
        self.code = code


class PointConfigError(DriverError):
    pass
