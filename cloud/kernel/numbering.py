"""Document numbers: gap-free per kind, unit and span, allocated in the business transaction.

A rule says how the numbers of a kind look and when they begin at 1 again (spec domain M11.5). A
community's own rule comes before its company's; without one the standard holds: SK2611-001203.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, or_, select, text
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, StaleVersion, Unprocessable
from cloud.kernel.hot import Hot
from cloud.kernel.records import NumberRule

LENGTH_MAX = 32  # payment channels take no longer ones
WIDTH_MAX = 12
UNIT_LENGTH = 4  # what {PROJ} is taken to be when nobody's code is known


class DocumentKind(StrEnum):
    """The kinds of documents whose numbers a rule may shape, by their series."""

    bill = "YS"
    run = "CZ"
    receipt = "SK"
    payout = "TK"
    entry = "JZ"


class Reset(StrEnum):
    never = "never"
    year = "year"
    month = "month"
    day = "day"


class PatternWrong(Unprocessable):
    message = (
        "The pattern cannot be read at “{part}”. Use letters, digits, - / _ and the tokens PROJ,"
        " YYYY, YY, MM, DD and SEQ:n in braces."
    )


class PatternWithoutSequence(Unprocessable):
    message = "The pattern needs SEQ:n in braces exactly once, with n from 1 to 12."


class PatternRepeats(Unprocessable):
    message = "Numbers begin at 1 again each {reset}, so the pattern must show the {reset}."


class PatternTooLong(Unprocessable):
    message = "A number would have {length} characters, at most {most} are allowed."


class PatternCollides(Conflict):
    message = "The pattern gives numbers that “{other}” may give too. Use other letters."


class NumberTooLong(Conflict):
    message = "The next number would have more than 32 characters. Shorten the number rule."


_TOKEN = re.compile(r"\{(PROJ|YYYY|YY|MM|DD|SEQ:(\d{1,2}))\}|([A-Za-z0-9/_-])")
_NEEDED = {
    Reset.never: (),
    Reset.year: ("YY",),
    Reset.month: ("YY", "MM"),
    Reset.day: ("YY", "MM", "DD"),
}
_SPAN = {Reset.never: "", Reset.year: "%y", Reset.month: "%y%m", Reset.day: "%y%m%d"}


@dataclass(frozen=True)
class Pattern:
    """A pattern as read: pieces of (token, text), with the width of its sequence."""

    pieces: tuple[tuple[str, str], ...]
    width: int

    def around(self, on: date, unit_code: str) -> tuple[str, str]:
        """What stands before and after the sequence."""
        shown = {
            "PROJ": unit_code,
            "YYYY": f"{on:%Y}",
            "YY": f"{on:%y}",
            "MM": f"{on:%m}",
            "DD": f"{on:%d}",
        }
        texts = [shown.get(part, literal) for part, literal in self.pieces]
        place = next(i for i, (part, _) in enumerate(self.pieces) if part == "SEQ")
        return "".join(texts[:place]), "".join(texts[place + 1 :])

    def skeleton(self) -> tuple[str, ...]:
        """A sign each: a literal, "#" one digit, "+" one or more digits, "*" one or more of all."""
        signs: list[str] = []
        for part, literal in self.pieces:
            if part in {"PROJ", "SEQ"}:
                signs.append("*" if part == "PROJ" else "+")
            else:
                signs += ["#"] * len(part) if part else [literal]
        return tuple(signs)


def read_pattern(pattern: str) -> Pattern:
    """Raises PatternWrong and PatternWithoutSequence."""
    pieces: list[tuple[str, str]] = []
    widths: list[int] = []
    at = 0
    while at < len(pattern):
        found = _TOKEN.match(pattern, at)
        if found is None:
            params = {"part": pattern[at:]}
            raise PatternWrong(fields=(FieldError("pattern", "pattern-wrong", params),), **params)
        part, width, literal = found.groups()
        if width is not None:
            widths.append(int(width))
            part = "SEQ"
        pieces.append((part or "", literal or ""))
        at = found.end()
    if len(widths) != 1 or not 1 <= widths[0] <= WIDTH_MAX:
        raise PatternWithoutSequence(fields=(FieldError("pattern", "pattern-without-sequence"),))
    return Pattern(tuple(pieces), widths[0])


def may_collide(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two skeletons have a number in common; a sequence is taken to be of any length."""
    if not one or not other:
        return not one and not other
    if not _meet(one[0], other[0]):
        return False
    rests = [(one[1:], other[1:])]
    if one[0] in "+*":
        rests.append((one, other[1:]))
    if other[0] in "+*":
        rests.append((one[1:], other))
    return any(may_collide(*rest) for rest in rests)


def _meet(first: str, second: str) -> bool:
    digits = [sign in "#+" or sign.isdigit() for sign in (first, second)]
    is_class = first in "#+" or second in "#+"
    return first == second or "*" in (first, second) or (is_class and all(digits))


def standard_pattern(series: str) -> str:
    return f"{series}{{YY}}{{MM}}-{{SEQ:6}}"


@dataclass(frozen=True)
class Block:
    """Numbers in a row, for numbering one by one or in one statement of SQL."""

    prefix: str
    suffix: str
    width: int
    first: int

    def number(self, place: int = 0) -> str:
        made = f"{self.prefix}{self.first + place:0{self.width}d}{self.suffix}"
        if len(made) > LENGTH_MAX:
            raise NumberTooLong
        return made


_RESERVE = text("""
    INSERT INTO kernel_number_series AS series (company_id, org_id, series, period, next_number)
    VALUES (:company_id, :org_id, :series, :period, 1 + :count)
    ON CONFLICT (company_id, org_id, series, period)
    DO UPDATE SET next_number = series.next_number + :count
    RETURNING next_number - :count
""")
_RULE = Hot(
    select(col(NumberRule.pattern), col(NumberRule.reset))
    .where(
        col(NumberRule.series) == bindparam("series"),
        or_(
            col(NumberRule.org_id) == bindparam("org_id"),
            col(NumberRule.org_id) == bindparam("company_id"),
        ),
    )
    .order_by((col(NumberRule.org_id) == bindparam("org_id")).desc())
    .limit(1),
    lambda pattern, reset: (pattern, reset),
)
_UNIT_CODE = text("SELECT kernel_unit_code(:org_id)")


async def reserve_numbers(ctx: Ctx, *, org_id: UUID, series: str, count: int) -> list[str]:
    """`count` numbers in a row, like SK2611-001203, by the business date.

    The series row stays locked until the transaction ends, so a roll-back returns the numbers.
    More digits than the rule says widen the number, they never wrap.
    """
    block = await reserve_block(ctx, org_id=org_id, series=series, count=count)
    return [block.number(place) for place in range(count)]


async def reserve_block(ctx: Ctx, *, org_id: UUID, series: str, count: int) -> Block:
    """Raises NumberTooLong."""
    assert count > 0
    rule = await _rule_of(ctx, org_id, series)
    pattern = read_pattern(rule[0] if rule else standard_pattern(series))
    reset = Reset(rule[1]) if rule else Reset.month
    result = await ctx.session.execute(
        _RESERVE,
        {
            "company_id": ctx.principal.company_id,
            "org_id": org_id,
            "series": series,
            "period": f"{ctx.business_on:{_SPAN[reset]}}" if _SPAN[reset] else "",
            "count": count,
        },
    )
    prefix, suffix = pattern.around(ctx.business_on, await _unit_code(ctx, org_id, pattern))
    block = Block(prefix, suffix, pattern.width, result.scalar_one())
    block.number(count - 1)
    return block


async def next_number(ctx: Ctx, *, org_id: UUID, series: str) -> str:
    return (await reserve_numbers(ctx, org_id=org_id, series=series, count=1))[0]


async def _unit_code(ctx: Ctx, org_id: UUID, pattern: Pattern) -> str:
    if not any(part == "PROJ" for part, _ in pattern.pieces):
        return ""
    found = await ctx.session.execute(_UNIT_CODE, {"org_id": org_id})
    return str(found.scalar_one() or "")


async def _rule_of(ctx: Ctx, org_id: UUID, series: str) -> tuple[str, str] | None:
    """The pattern and the reset of the unit's own rule, else of its company's."""
    return await _RULE.one_or_none(
        ctx.session, series=series, org_id=org_id, company_id=ctx.principal.company_id
    )


async def rules_of(ctx: Ctx) -> list[NumberRule]:
    """The rules in scope; a kind without one has the standard."""
    found = await ctx.session.execute(
        select(NumberRule)
        .order_by(col(NumberRule.series))
        .execution_options(populate_existing=True)
    )
    return list(found.scalars())


def example(pattern: Pattern, on: date, unit_code: str, number: int = 1) -> str:
    prefix, suffix = pattern.around(on, unit_code)
    return f"{prefix}{number:0{pattern.width}d}{suffix}"


async def set_rule(
    ctx: Ctx, *, series: DocumentKind, version: int, pattern: str, reset: Reset, reason: str
) -> NumberRule:
    """Shape the company's numbers of a kind from now on; those that were given stay. `version` is
    the rule's that was looked at, 0 for the standard.

    Raises StaleVersion, PatternWrong, PatternWithoutSequence, PatternRepeats, PatternTooLong, and
    PatternCollides for a pattern that another kind, or this kind under another reset, may repeat.
    """
    read = read_pattern(pattern)
    _check(ctx, read, reset)
    company_id = ctx.principal.company_id
    # One lock for all kinds: a pattern is compared with those of the others, and a kind that has
    # the standard has no row.
    await ctx.take(f"number-rules:{company_id}")
    rules = await rules_of(ctx)
    rule = next((one for one in rules if (one.series, one.org_id) == (series, company_id)), None)
    if version != (rule.version if rule else 0):
        raise StaleVersion
    _refuse_collisions(series, read, reset, rules)
    before: dict[str, Any] = {"pattern": standard_pattern(series), "reset": Reset.month.value}
    if rule is None:
        rule = NumberRule(**ctx.stamp(company_id), series=series, pattern=pattern, reset=reset)
        rule.earlier = [before]
        ctx.session.add(rule)
    else:
        before = {"pattern": rule.pattern, "reset": str(rule.reset)}
        rule.earlier = [*rule.earlier, before]
        rule.pattern, rule.reset = pattern, reset
        rule.version += 1
    await audit.record(
        ctx,
        action="kernel.number_rule.set",
        subject_kind="kernel.number_rule",
        subject_id=rule.id,
        org_id=company_id,
        before=before,
        after={"series": series.value, "pattern": pattern, "reset": reset.value},
        reason=reason,
    )
    return rule


def _check(ctx: Ctx, pattern: Pattern, reset: Reset) -> None:
    tokens = {"YY" if part == "YYYY" else part for part, _ in pattern.pieces}
    if not set(_NEEDED[reset]) <= tokens:
        params = {"reset": ctx.say(reset.value)}
        raise PatternRepeats(fields=(FieldError("pattern", "pattern-repeats", params),), **params)
    length = len(example(pattern, ctx.business_on, "P" * UNIT_LENGTH))
    if length > LENGTH_MAX:
        params = {"length": str(length), "most": str(LENGTH_MAX)}
        raise PatternTooLong(fields=(FieldError("pattern", "pattern-too-long", params),), **params)


def _refuse_collisions(
    series: DocumentKind, read: Pattern, reset: Reset, rules: list[NumberRule]
) -> None:
    given: list[tuple[str, str]] = []
    for kind in DocumentKind:
        rule = next((one for one in rules if one.series == kind), None)
        if kind is not series:
            given.append((rule.pattern if rule else standard_pattern(kind), ""))
            continue
        past = [{"pattern": standard_pattern(kind), "reset": Reset.month.value}]
        if rule is not None:
            past += [*rule.earlier, {"pattern": rule.pattern, "reset": str(rule.reset)}]
        given += [(one["pattern"], one["reset"]) for one in past]
    for other, under in given:
        seen = read_pattern(other)
        # The same letters under the same reset share a counter, so nothing is given twice.
        if under == reset and seen.pieces == read.pieces:
            continue
        if may_collide(read.skeleton(), seen.skeleton()):
            params = {"other": other}
            raise PatternCollides(
                fields=(FieldError("pattern", "pattern-collides", params),), **params
            )
