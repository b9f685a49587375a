"""Pages of receiving."""

from cloud.modules.receiving.pages import documents, rooms

PAGES = (*documents.PAGES, *rooms.PAGES)
MENU = (*documents.MENU, *rooms.MENU)

__all__ = ["MENU", "PAGES"]
