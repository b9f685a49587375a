"""Pages of receiving."""

from cloud.modules.receiving.pages import documents, rooms, setup

PAGES = (*documents.PAGES, *rooms.PAGES, *setup.PAGES)
MENU = (*documents.MENU, *rooms.MENU, *setup.MENU)

__all__ = ["MENU", "PAGES"]
