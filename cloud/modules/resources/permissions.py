"""What may be done with resources."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from cloud.kernel.context import Ctx
from cloud.kernel.http import allow


class ResourcesPermission(StrEnum):
    room_read = "resources.room:read"
    space_add = "resources.space:add"
    room_write = "resources.room:write"
    catalogue_write = "resources.catalogue:write"


ReadRooms = Annotated[Ctx, allow(ResourcesPermission.room_read)]
AddSpaces = Annotated[Ctx, allow(ResourcesPermission.space_add)]
ChangeRooms = Annotated[Ctx, allow(ResourcesPermission.room_write)]
