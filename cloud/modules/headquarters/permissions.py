"""What may be seen on the dashboards, and who sets what they are measured against."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from cloud.kernel.context import Ctx
from cloud.kernel.http import allow


class HeadquartersPermission(StrEnum):
    """The first two are asked for by the dashboards' process, which knows them by name."""

    finance_read = "headquarters.finance:read"
    energy_read = "headquarters.energy:read"
    target_read = "headquarters.target:read"
    target_write = "headquarters.target:write"


ReadFinance = Annotated[Ctx, allow(HeadquartersPermission.finance_read)]
ReadEnergy = Annotated[Ctx, allow(HeadquartersPermission.energy_read)]
ReadTargets = Annotated[Ctx, allow(HeadquartersPermission.target_read)]
WriteTargets = Annotated[Ctx, allow(HeadquartersPermission.target_write)]
