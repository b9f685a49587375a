"""The manifest of accounts."""

from __future__ import annotations

from cloud.kernel.registry import Module
from cloud.modules.accounts import api, pages, seeds
from cloud.modules.accounts.permissions import AccountsPermission

MODULE = Module(
    name="accounts",
    title="Accounts",
    permissions=AccountsPermission,
    routers=(api.router,),
    pages=pages.PAGES,
    menu=pages.MENU,
    seed=seeds.seed,
)
