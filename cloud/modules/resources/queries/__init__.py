"""Resources' reads."""

from cloud.modules.resources.queries.history import (
    AreaHeld,
    RoomHappening,
    areas_of_rooms,
    events_of_room,
)
from cloud.modules.resources.queries.rooms import (
    BUILDINGS,
    PARENTS_OF_ROOMS,
    ROOMS,
    RoomFound,
    RoomOfSite,
    find_rooms,
    get_room,
    list_buildings,
    list_rooms,
    list_units,
    lookup_spaces,
    parents_by_path,
    room_counts,
    rooms_at,
    rooms_by_path,
    rooms_of_site,
)

__all__ = [
    "BUILDINGS",
    "PARENTS_OF_ROOMS",
    "ROOMS",
    "AreaHeld",
    "RoomFound",
    "RoomHappening",
    "RoomOfSite",
    "areas_of_rooms",
    "events_of_room",
    "find_rooms",
    "get_room",
    "list_buildings",
    "list_rooms",
    "list_units",
    "lookup_spaces",
    "parents_by_path",
    "room_counts",
    "rooms_at",
    "rooms_by_path",
    "rooms_of_site",
]
