"""Every permission there is, by module, and how people call each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cloud.kernel.i18n import Texts

# What the last part of a permission says, whichever module it is of.
ACTIONS = {
    "read": "View",
    "write": "Change",
    "add": "Add",
    "create": "Enter",
    "change": "Replace",
    "review": "Review",
    "publish": "Publish",
    "take": "Take payment",
    "reverse": "Reverse",
    "reveal": "Show in full",
    "command": "Operate",
    "use": "Work with",
    "import": "Import",
    "export": "Export",
}


@dataclass(frozen=True)
class Vocabulary:
    """The permissions of one module; `subjects` names what they are about."""

    module: str
    title: str
    permissions: Sequence[str]
    subjects: Mapping[str, str]


@dataclass(frozen=True)
class Catalog:
    modules: Sequence[Vocabulary] = ()
    codes: frozenset[str] = field(default=frozenset())

    @classmethod
    def of(cls, modules: Sequence[Vocabulary]) -> Catalog:
        codes = frozenset(code for each in modules for code in each.permissions)
        return cls(modules=modules, codes=codes)

    def subject(self, permission: str, texts: Texts, locale: str) -> str:
        module, subject, _ = parts(permission)
        known = next((each for each in self.modules if each.module == module), None)
        named = known.subjects.get(subject) if known else None
        return texts.label(named or subject.replace("_", " ").capitalize(), locale)

    def name(self, permission: str, texts: Texts, locale: str) -> str:
        """What a refusal and the matrix call it: 单据 · 查看, not charging.bill:read."""
        return f"{self.subject(permission, texts, locale)} · {action(permission, texts, locale)}"


def parts(permission: str) -> tuple[str, str, str]:
    """module, subject and action of `module.subject:action`."""
    module, _, rest = permission.partition(".")
    subject, _, verb = rest.partition(":")
    return module, subject, verb


def action(permission: str, texts: Texts, locale: str) -> str:
    verb = parts(permission)[2]
    return texts.label(ACTIONS.get(verb, verb.capitalize()), locale)
