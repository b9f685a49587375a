// How a receipt is paid: what we hold already, one method for the rest, or several.

import { cents, centsOf, decimal } from './cents'
import { faultOf, type Line } from './till'
import type { MethodKind, PrepaidAccount, ReceiptRequest } from './types'

export const SPLIT = 'split'

/** What is taken beside the bills, as typed. */
export interface Ahead {
  taken: boolean
  typed: string
  item: string | null
}

export interface DepositLine {
  taken: boolean
  typed: string
  item: string | null
  terms: string
}

export interface Tender {
  method: string
  kind: MethodKind | typeof SPLIT
  /** Cents by method, when there are several. */
  split: Record<string, number>
  offset: number
}

/** Cents of what is typed beside the bills; null for what is no amount above zero. */
export function extra(one: { taken: boolean; typed: string }): number | null {
  if (!one.taken) return 0
  const value = cents(one.typed)
  return value === null || value <= 0 ? null : value
}

/** Cents of the prepaid accounts that may pay the lines taken: those kept for an item first. */
export function usablePrepaid(accounts: PrepaidAccount[], lines: Line[]): number {
  const needed = new Map<string, number>()
  for (const line of lines) {
    if (!line.taken || faultOf(line)) continue
    const key = line.bill.item_id
    needed.set(key, (needed.get(key) ?? 0) + (cents(line.typed) ?? 0))
  }
  let rest = [...needed.values()].reduce((sum, value) => sum + value, 0)
  let usable = 0
  for (const account of accounts.filter((one) => one.item_id)) {
    const part = Math.min(centsOf(account.balance), needed.get(account.item_id!) ?? 0)
    usable += part
    rest -= part
  }
  const general = accounts.filter((one) => !one.item_id)
  const free = general.reduce((sum, one) => sum + centsOf(one.balance), 0)
  return usable + Math.min(free, Math.max(0, rest))
}

/** What several methods leave over; negative when they are too much. */
export function splitLeft(due: number, split: Record<string, number>): number {
  return due - Object.values(split).reduce((sum, value) => sum + value, 0)
}

/** The request's method lines: none when one method pays all. */
export function methodLines(due: number, tender: Tender): ReceiptRequest['lines'] {
  const money =
    tender.kind === SPLIT
      ? Object.entries(tender.split).filter(([, value]) => value > 0)
      : due > 0
        ? [[tender.method, due] as [string, number]]
        : []
  const all: [string, number][] = tender.offset > 0 ? [['prepaid', tender.offset], ...money] : money
  if (all.length === 1 && tender.offset === 0) return []
  return all.map(([method, value]) => ({ method, amount: decimal(value) }))
}

/** Cents of cash in what is due now, for the change. */
export function cashPart(due: number, tender: Tender, cashCodes: Set<string>): number {
  if (tender.kind !== SPLIT) return tender.kind === 'cash' ? due : 0
  return Object.entries(tender.split).reduce(
    (sum, [code, value]) => sum + (cashCodes.has(code) ? value : 0),
    0
  )
}
