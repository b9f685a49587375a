"""What accounts does when other modules announce something."""

from __future__ import annotations

from cloud.kernel.events import Handler
from cloud.modules.accounts import service
from cloud.modules.organization.events import DepartmentClosing, UnitClosing

HANDLERS: tuple[tuple[type, Handler], ...] = (
    (UnitClosing, service.refuse_unit_with_staff),
    (DepartmentClosing, service.refuse_department_with_staff),
)
