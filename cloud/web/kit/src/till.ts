// The arithmetic of the counter: what is taken now, what stays open, the change.

import { cents, centsOf, decimal } from './cents'
import type { CounterBill, ReceiptRequest } from './types'

/** A bill at the counter: whether it is taken now and the amount as typed. */
export interface Line {
  bill: CounterBill
  taken: boolean
  typed: string
}

export type LineFault = 'not-an-amount' | 'above-open' | 'zero'

export function linesOf(bills: CounterBill[]): Line[] {
  return bills.map((bill) => ({ bill, taken: true, typed: bill.open }))
}

export function faultOf(line: Line): LineFault | null {
  if (!line.taken) return null
  const value = cents(line.typed)
  if (value === null || value < 0) return 'not-an-amount'
  if (value === 0) return 'zero'
  return value > centsOf(line.bill.open) ? 'above-open' : null
}

export function isPartial(line: Line): boolean {
  const value = cents(line.typed)
  return line.taken && value !== null && value < centsOf(line.bill.open)
}

/** Cents to take now; faulty lines count as nothing. */
export function dueNow(lines: Line[]): number {
  return lines.reduce(
    (total, line) => total + (line.taken && !faultOf(line) ? (cents(line.typed) ?? 0) : 0),
    0
  )
}

/** Cents of a bill that stay open after this receipt. */
export function staysOpen(line: Line): number {
  return centsOf(line.bill.open) - (line.taken && !faultOf(line) ? (cents(line.typed) ?? 0) : 0)
}

/** Positive: to hand back. Negative: still missing. Null: nothing usable typed. */
export function changeOf(due: number, tendered: string): number | null {
  const value = cents(tendered)
  return value === null || value < 0 ? null : value - due
}

/** What a payer is likely to hand over: the next 10, 100 and 500/1000 above the amount. */
export function quickAmounts(due: number): number[] {
  if (due <= 0) return []
  const steps = [1000, 10000, due <= 50000 ? 50000 : 100000]
  const above = steps.map((step) => Math.ceil(due / step) * step).filter((value) => value > due)
  return [...new Set(above)].slice(0, 3)
}

/** The lines taken, as the server wants them. */
export function allocationsOf(lines: Line[]): ReceiptRequest['allocations'] {
  return lines
    .filter((line) => line.taken && !faultOf(line))
    .map((line) => ({
      bill_id: line.bill.id,
      amount: decimal(cents(line.typed) ?? 0),
      version: line.bill.version
    }))
}
