"""The manifest of accounts."""

from __future__ import annotations

from cloud.kernel.registry import Module
from cloud.kernel.search import Source
from cloud.modules.accounts import api, handlers, pages, queries, seeds
from cloud.modules.accounts.permissions import AccountsPermission

MODULE = Module(
    name="accounts",
    title="Accounts",
    permissions=AccountsPermission,
    subjects={
        "user": "Staff accounts",
        "role": "Roles",
    },
    routers=(api.router,),
    pages=pages.PAGES,
    menu=pages.MENU,
    searches=(
        Source(
            "staff",
            "Staff accounts",
            "user-cog",
            AccountsPermission.user_read,
            queries.search,
            rank=50,
        ),
    ),
    handlers=handlers.HANDLERS,
    seed=seeds.seed,
)
