"""The rules of the house hold in the checkout, and each has been seen red."""

from __future__ import annotations

import ast
import textwrap

import pytest

from tools.lint import budgets, faults, house, names, proofs, routes, transactions, values
from tools.lint.names import machine_traces
from tools.lint.source import ROOT, Function, Places, Source

SERVICE = "cloud/modules/sample/service.py"
API = "cloud/modules/sample/api.py"


def found(rule: str, path: str, text: str) -> list[str]:
    source = Source(path, textwrap.dedent(text))
    return [complaint.text for complaint in house.rule(rule).complaints(source)]


def lines(count: int) -> str:
    return "\n".join(f"    a = {number}" for number in range(count))


RED = [
    ("size", SERVICE, "def f():\n" + lines(70)),
    ("size", SERVICE, "@router.get(\n  'x'\n)\ndef f():\n" + lines(67)),
    ("size", SERVICE, "class C:\n" + lines(250)),
    ("size", SERVICE, "a = 1\n" * 601),
    ("parameters", SERVICE, "def f(self, a, b, c, d, e, *, f, g, h, i, j, k): ..."),
    ("transaction", SERVICE, "async def f(ctx):\n    await ctx.session.commit()"),
    ("transaction", SERVICE, "async def f(ctx):\n    async with ctx.session.begin_nested(): ..."),
    ("transaction", "actors/host.py", "async def f(s):\n    await s.rollback()"),
    ("transaction", SERVICE, "engine = make_engine(url)"),
    ("transaction", SERVICE, "async def f(work):\n    async with work.sessions() as s: ..."),
    ("flush", SERVICE, "async def f(ctx):\n    await ctx.session.flush()"),
    ("float", SERVICE, "total = float(price) * 1"),
    ("float", "cloud/modules/charging/rules.py", "rate = price * 1.06"),
    ("clock", SERVICE, "now = datetime.now(UTC)"),
    ("clock", "edge_agent/poller.py", "import time\nat = time.time()"),
    ("clock", SERVICE, "today = date.today()"),
    ("bound", "actors/host.py", "turns = asyncio.Queue()"),
    ("bound", "actors/host.py", "turns = asyncio.Queue(maxsize=0)"),
    ("bound", "actors/host.py", "turns = queue.SimpleQueue()"),
    ("boundary", SERVICE, "def f():\n    try:\n        g()\n    except Exception:\n        a = 1"),
    ("boundary", SERVICE, "def f():\n    try:\n        g()\n    except:\n        a = 1"),
    ("boundary", SERVICE, "try:\n    g()\nexcept (OSError, BaseException):\n    a = 1"),
    ("boundary", SERVICE, "with contextlib.suppress(Exception):\n    g()"),
    ("pretending", SERVICE, "def void_bill():\n    pass"),
    ("pretending", SERVICE, "async def void_bill(): ..."),
    ("pretending", SERVICE, "def void_bill():\n    raise NotImplementedError('later')"),
    ("pretending", SERVICE, "a = 1  # TO" + "DO: the second half"),
    ("guess", SERVICE, "name = getattr(row, 'name', None)"),
    ("guess", SERVICE, "if hasattr(row, 'name'):\n    a = 1"),
    ("guess", SERVICE, "models = Record.__subclasses__()"),
    ("guess", SERVICE, "raise HTTPException(404)"),
    ("name", "cloud/modules/sample/utils.py", "a = 1"),
    ("name", SERVICE, "class BillManager:\n    a = 1"),
    ("name", SERVICE, "class AbstractBill:\n    a = 1"),
    ("name", SERVICE, "class BillFactory:\n    a = 1"),
    ("name", SERVICE, "def do_billing():\n    return 1"),
    ("name", SERVICE, "def billing_helper():\n    return 1"),
    ("docstring", SERVICE, "a = 1"),
    ("machine", SERVICE, "path = '/" + "root/wuye'"),
    ("machine", SERVICE, "url = 'https://py" + "pi.org/simple'"),
    ("one-call", API, "@router.get('')\nasync def f(ctx):\n    a = 1\n    return await g(ctx)"),
    ("one-call", API, "@router.get('')\nasync def f(ctx):\n    return {'a': await g(ctx)}"),
    ("one-call", API, "@router.post('')\nasync def f(ctx):\n    'Only words.'"),
    ("read-schema", "cloud/modules/sample/schemas.py", "class BillRead(B):\n    a: int = 0"),
    ("read-schema", "cloud/modules/sample/schemas.py", "class BillRead(B):\n    a: int = Field(0)"),
    ("assert", "tests/cloud/test_x.py", "def test_works():\n    f()"),
    ("double", "tests/cloud/test_x.py", "from unittest.mock import Mock"),
    ("double", "tests/cloud/test_x.py", "from unittest import mock\nimport unittest.mock"),
    ("double", "tests/cloud/test_x.py", "def f(monkeypatch):\n    monkeypatch.setattr(a, 'b', 1)"),
]

GREEN = [
    ("size", SERVICE, "def f():\n" + lines(69)),
    ("transaction", "cloud/kernel/uow.py", "async def f(s):\n    await s.commit()"),
    ("transaction", "edge_agent/store.py", "def f(db):\n    db.commit()"),
    ("flush", SERVICE, "async def f(ctx):\n    await ctx.session.flush()  # the trigger reads it"),
    ("float", "cloud/modules/devices/service.py", "value = float(text)"),
    ("clock", "edge_agent/clock.py", "now = time.time()"),
    ("bound", "actors/host.py", "turns = asyncio.Queue(maxsize=TURNS_MAX)"),
    ("bound", "actors/host.py", "turns = asyncio.Queue(TURNS_MAX)"),
    ("boundary", SERVICE, "try:\n    g()\nexcept BaseException:\n    close()\n    raise"),
    ("boundary", SERVICE, "try:\n    g()\nexcept OSError:\n    a = 1"),
    ("pretending", SERVICE, "@abstractmethod\ndef f(self): ..."),
    ("pretending", SERVICE, "class Known(Conflict):\n    pass"),
    ("pretending", SERVICE, "class Inbox(Protocol):\n    async def get(self) -> bytes: ..."),
    ("guess", "cloud/kernel/problems.py", "a = getattr(error, 'sqlstate', None)"),
    ("docstring", "cloud/modules/sample/__init__.py", ""),
    ("one-call", API, "@router.get('')\nasync def f(ctx):\n    return await g(ctx, **b.dump())"),
    ("read-schema", "cloud/modules/sample/schemas.py", "class A(B):\n    a: int = 0"),
    ("read-schema", SERVICE, "class ARead(B):\n    a: int = Field(description='m²')"),
    ("assert", "tests/x/test_x.py", "def test_f():\n    with pytest.raises(E):\n        f()"),
]


class TestRules:
    @pytest.mark.parametrize(("rule", "path", "text"), RED)
    def test_is_seen_red(self, rule: str, path: str, text: str) -> None:
        assert found(rule, path, text)

    @pytest.mark.parametrize(("rule", "path", "text"), GREEN)
    def test_lets_the_right_form_through(self, rule: str, path: str, text: str) -> None:
        assert not found(rule, path, text)

    def test_every_rule_was_seen_red(self) -> None:
        assert {rule.name for rule in house.RULES} == {rule for rule, _, _ in RED}

    def test_a_skip_needs_its_code_and_a_reason(self) -> None:
        assert found("float", SERVICE, "a = float(b)  # skip: FLOAT")
        assert found("float", SERVICE, "a = float(b)  # skip: CLOCK - a reason")
        assert not found("float", SERVICE, "a = float(b)  # skip: FLOAT - a reason")

    def test_files_of_any_kind_name_no_machine(self) -> None:
        assert list(machine_traces("index-url: http://192.168" + ".0.7/simple"))
        assert not list(machine_traces("listen: 127.0.0.1, /var/lib/wuye, /workers"))


class TestTheCheckout:
    def test_holds_every_rule(self) -> None:
        complaints = house.complaints_of_the_checkout()

        assert not complaints, "\n" + "\n".join(complaints)

    @pytest.mark.parametrize(
        "places",
        [
            budgets.LARGER,
            faults.BOUNDARIES,
            faults.NOTHING,
            names.MACHINES,
            names.NAMED_SO,
            proofs.JUDGED_ELSEWHERE,
            routes.MORE_THAN_ONE_CALL,
            transactions.OPENED_ELSEWHERE,
            values.CLOCKS,
        ],
    )
    def test_every_exception_names_something_that_is_there(self, places: Places) -> None:
        assert [place for place in places if not exists(place)] == []


def exists(place: str) -> bool:
    path, _, name = place.partition(":")
    if not (ROOT / path).is_file():
        return False
    source = Source(path, (ROOT / path).read_text(encoding="utf-8"))
    known = {
        f"{around}.{node.name}" if around else node.name
        for node, around in source.walk()
        if isinstance(node, Function | ast.ClassDef)
    }
    return not name or name in known
