"""What the documents name is there: files, folders, tests, commands and settings."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from cloud import main
from cloud.kernel.errors import AppError
from cloud.kernel.settings import Settings
from tools.lint import house
from tools.lint.source import ROOT

DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if path.name != "CHANGELOG.md"
)
README_LINES_MAX = 120

_QUOTED = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"^[\w.-]+(/[\w.-]+)*/?$")
_FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()}
# Written by `up`, so not in the checkout.
_MADE = (".data", "build")


def absent(text: str) -> Iterator[str]:
    """Paths in quotation marks of code that lead nowhere."""
    for quoted in _QUOTED.findall(text):
        first, slash, _ = quoted.partition("/")
        if not _PATH.match(quoted) or not slash or first in _MADE:
            continue
        if first in _FOLDERS and not (ROOT / quoted).exists():
            yield quoted


def read(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


class TestDocuments:
    @pytest.mark.parametrize("document", DOCUMENTS)
    def test_name_files_that_are_there(self, document: str) -> None:
        assert list(absent(read(document))) == []

    def test_a_path_that_leads_nowhere_is_seen(self) -> None:
        assert list(absent("see `cloud/kernel/gone.py`")) == ["cloud/kernel/gone.py"]
        assert not list(absent("see `cloud/kernel/uow.py`, `a/b` and `GET /healthz`"))


class TestDecisions:
    @pytest.mark.parametrize("document", [name for name in DOCUMENTS if "decisions/" in name])
    def test_fill_one_page_and_say_what_enforces_them(self, document: str) -> None:
        text = read(document)

        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Alternatives", "Enforced by"]
        assert len(text.split()) < 700
        assert re.search(r"^Status: \w+ · Area: .+ · Date: \d{4}-\d\d-\d\d$", text, re.MULTILINE)

    def test_name_tests_and_rules_that_exist(self) -> None:
        text = "".join(read(name) for name in DOCUMENTS if "decisions/" in name)

        tests = set(re.findall(r"`(test_\w+\.py)`", text))
        known = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
        assert tests - known == set()
        named = re.findall(r"`tools/lint` rules? ((?:`[\w-]+`(?:, )?)+)", text)
        rules = {name for group in named for name in re.findall(r"`([\w-]+)`", group)}
        assert rules
        assert rules - {rule.name for rule in house.RULES} == set()


def refusals(module: str) -> dict[str, int]:
    """The statuses of what a module refuses, by code."""
    found: dict[str, int] = {}
    waiting = [AppError]
    while waiting:
        error = waiting.pop()
        waiting += error.__subclasses__()
        if error.__module__.startswith(f"cloud.modules.{module}."):
            found[error.code] = error.status
    return found


class TestModulePages:
    @pytest.mark.parametrize("module", [module.name for module in main.MODULES])
    def test_name_every_refusal_with_its_status(self, module: str) -> None:
        page = read(f"docs/modules/{module}.md")
        rows = re.findall(r"^\| (\d{3}) \| (.+?) \|", page, re.MULTILINE)
        said = {code: int(status) for status, codes in rows for code in _QUOTED.findall(codes)}

        assert {code: said.get(code) for code in refusals(module)} == refusals(module)

    @pytest.mark.parametrize("module", [module.name for module in main.MODULES])
    def test_name_every_table_and_every_job(self, module: str) -> None:
        said = set(_QUOTED.findall(read(f"docs/modules/{module}.md")))

        tables = {name for name in main.metadata().tables if name.startswith(f"{module}_")}
        jobs = {job.name for one in main.MODULES if one.name == module for job in one.jobs}
        assert tables | jobs <= said


class TestReadme:
    def test_is_short(self) -> None:
        assert len(read("README.md").splitlines()) <= README_LINES_MAX

    def test_begins_with_the_two_commands(self) -> None:
        commands = re.findall(r"^make \w+", read("README.md"), re.MULTILINE)

        assert commands[:2] == ["make up", "make test"]

    def test_names_every_setting_and_no_other(self) -> None:
        named = set(re.findall(r"WUYE_[A-Z_]+", read("README.md")))

        assert named == {f"WUYE_{name.upper()}" for name in Settings.model_fields}

    def test_names_targets_that_the_makefile_has(self) -> None:
        targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
        named = {
            target
            for document in DOCUMENTS
            for target in re.findall(r"`make ([a-z]+)`", read(document))
        }

        assert named - targets == set()
