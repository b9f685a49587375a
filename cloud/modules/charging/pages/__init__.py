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
    MenuEntry("charge_setup", "Charge items", page="charging.items", rank=10),
    MenuEntry("charge_setup", "Charge standards", page="charging.standards", rank=20),
    MenuEntry("charge_setup", "Charge bindings", page="charging.bindings", rank=30),
)
