"""Prepayments, deposits, and what is handed back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from cloud.kernel.typed import Reason
from cloud.modules.receiving.schemas.typed import Amount, MethodCode


class MoveLine(BaseModel):
    """A change of a prepaid account or of a deposit."""

    business_on: date
    kind: str
    number: str
    amount: Decimal
    balance: Decimal
    reason: str
    by: str


class PrepaidRead(BaseModel):
    id: UUID
    site_id: UUID
    site_name: str
    room_id: UUID
    room_name: str
    party_name: str
    item_name: str
    legal_entity_name: str
    balance: Decimal
    state: str


class PrepaidDetail(PrepaidRead):
    moves: list[MoveLine]


class HeldState(StrEnum):
    held = "held"
    empty = "empty"


class DepositRead(BaseModel):
    id: UUID
    site_id: UUID
    site_name: str
    room_id: UUID
    room_name: str
    party_name: str
    item_name: str
    receipt_number: str
    business_on: date
    release_on: date | None
    terms: str
    amount: Decimal
    balance: Decimal
    state: str


class DepositDetail(DepositRead):
    moves: list[MoveLine]


class RefundWanted(BaseModel):
    """Money that goes back; the reason stands on the document and in the audit trail."""

    model_config = ConfigDict(extra="forbid")

    amount: Amount
    method: MethodCode
    reason: Reason


class DepositUsed(BaseModel):
    """What of a deposit is kept or pays bills, and what shows that it is right."""

    model_config = ConfigDict(extra="forbid")

    amount: Amount
    evidence: Reason


class PayoutMade(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: str
    amount: Decimal


class Deducted(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    balance: Decimal


class PayoutRead(BaseModel):
    id: UUID
    number: str
    site_name: str
    room_name: str
    party_name: str
    kind: str
    method_name: str
    amount: Decimal
    reason: str
    business_on: date
    cashier_name: str
