"""The demo company's chart: what bills and receipts post to."""

from __future__ import annotations

from cloud.kernel.seeding import Seeding
from cloud.modules.ledger import service
from cloud.modules.ledger.models import AccountKind

CHART = (
    ("1001", "库存现金", AccountKind.asset),
    ("1002", "银行存款", AccountKind.asset),
    ("1012", "其他货币资金", AccountKind.asset),
    ("1122", "应收账款", AccountKind.asset),
    ("2205", "合同负债", AccountKind.liability),
    ("220501", "预存款", AccountKind.liability),
    ("2221", "应交税费", AccountKind.liability),
    ("2241", "其他应付款", AccountKind.liability),
    ("224101", "押金", AccountKind.liability),
    ("6001", "主营业务收入", AccountKind.income),
    ("6301", "营业外收入", AccountKind.income),
)


async def seed(seeding: Seeding) -> None:
    async with seeding.unit() as ctx:
        for code, name, kind in CHART:
            account = await service.add_account(ctx, code=code, name=name, kind=kind)
            seeding.ids[f"account:{code}"] = account.id
