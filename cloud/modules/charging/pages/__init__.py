"""Pages of charging."""

from __future__ import annotations

from cloud.kernel.ui.pages import MenuEntry
from cloud.modules.charging.pages.bills import BILL, BILLS, RUN, RUNS
from cloud.modules.charging.pages.bindings import BINDINGS
from cloud.modules.charging.pages.items import ITEMS
from cloud.modules.charging.pages.standards import STANDARD, STANDARDS

PAGES = (BILLS, BILL, RUNS, RUN, ITEMS, STANDARDS, STANDARD, BINDINGS)

MENU = (
    MenuEntry("finance", "Bills", page="charging.bills", icon="file-text", favorite=True, rank=20),
    MenuEntry("finance", "Bill runs", page="charging.runs", rank=30),
    MenuEntry("finance", "Charge standards", page="charging.standards"),
    MenuEntry("finance", "Charge items", page="charging.items"),
    MenuEntry("finance", "Charge bindings", page="charging.bindings"),
)
