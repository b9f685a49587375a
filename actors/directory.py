"""The sites that a host has in memory, activated by their first message."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import text

from actors.site import Site
from cloud.kernel.context import system_principal
from cloud.kernel.db import Scope, Sessions
from protocols.uplink.topics import shard_of

_PLACE = text("SELECT company, above FROM devices_place_of(:site_id)")


class UnknownSite(Exception):
    """No project has this id."""

    def __init__(self, site_id: UUID) -> None:
        super().__init__(str(site_id))


class Directory:
    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._sites: dict[UUID, Site] = {}
        self._used_at: dict[UUID, float] = {}

    def __len__(self) -> int:
        return len(self._sites)

    def find(self, site_id: UUID) -> Site | None:
        """The site when it is active."""
        return self._sites.get(site_id)

    async def activate(self, site_id: UUID, *, at: float) -> Site:
        """The site in memory; the database says whose it is. Raises UnknownSite."""
        known = self._sites.get(site_id)
        if known is not None:
            self._used_at[site_id] = at
            return known
        async with self._sessions() as session:
            place = (await session.execute(_PLACE, {"site_id": site_id})).one()
        if place.company is None:
            raise UnknownSite(site_id)
        ancestors = tuple(place.above)
        scope = Scope(
            company_id=place.company, read_orgs=(*ancestors, site_id), write_orgs=(site_id,)
        )
        principal = system_principal(place.company, org_id=site_id, scope=scope)
        self._used_at[site_id] = at
        return self._sites.setdefault(site_id, Site(site_id, principal, ancestors))

    def forget_shards(self, shards: frozenset[int]) -> None:
        """Another host may change them from now on: what is remembered of them is stale."""
        self._forget(lambda site_id: shard_of(site_id) in shards)

    def forget_unused(self, *, since: float, is_busy: Callable[[UUID], bool]) -> None:
        self._forget(lambda site_id: self._used_at[site_id] < since and not is_busy(site_id))

    def _forget(self, is_unwanted: Callable[[UUID], bool]) -> None:
        for site_id in [id_ for id_ in self._sites if is_unwanted(id_)]:
            del self._sites[site_id], self._used_at[site_id]
