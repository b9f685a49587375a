"""The plain lists of resources."""

from __future__ import annotations

from cloud.kernel.catalogue import Catalogue, page_of, routes_of
from cloud.modules.resources import rules
from cloud.modules.resources.permissions import ResourcesPermission

ROOM_TYPES = Catalogue(
    code=rules.ROOM_TYPES,
    title="Room types",
    add="Add a room type",
    change="Change the room type",
    none="No room type yet",
    first="Add the first room type, so that rooms can have one.",
    path="room-types",
    read=ResourcesPermission.room_read,
    write=ResourcesPermission.catalogue_write,
)

room_types = routes_of(ROOM_TYPES)
ROOM_TYPES_PAGE = page_of(ROOM_TYPES, room_types)
ROUTERS = (room_types.router,)
