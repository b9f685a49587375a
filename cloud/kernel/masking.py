"""Numbers of people as lists show them: the whole one stays in the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import case, func

from cloud.kernel.listing import Expression


def masked_phone(phone: Expression) -> Any:
    """138****5512; of a short number only the last two digits."""
    return case(
        (func.length(phone) >= 11, func.left(phone, 3).concat("****").concat(func.right(phone, 4))),
        (phone == "", ""),
        else_=func.concat("****", func.right(phone, 2)),
    )


def masked_id_number(number: Expression) -> Any:
    """The first four and the last two signs."""
    return case(
        (number == "", ""),
        (
            func.length(number) >= 10,
            func.left(number, 4).concat("************").concat(func.right(number, 2)),
        ),
        else_=func.concat("****", func.right(number, 2)),
    )
