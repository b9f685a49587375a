"""What several of the bodies take."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field, StringConstraints

Amount = Annotated[Decimal, Field(gt=0, max_digits=15, decimal_places=2)]
MethodCode = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)]
Given = Annotated[Decimal, Field(ge=0, max_digits=15, decimal_places=2)]
