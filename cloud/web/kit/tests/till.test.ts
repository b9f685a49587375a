import { describe, expect, it } from 'vitest'

import { cashPart, extra, methodLines, SPLIT, splitLeft, usablePrepaid } from '../src/tender'
import {
  allocationsOf,
  changeOf,
  dueNow,
  faultOf,
  isPartial,
  linesOf,
  quickAmounts,
  staysOpen
} from '../src/till'
import type { CounterBill } from '../src/types'

function bill(id: string, open: string): CounterBill {
  return {
    id,
    item_id: 'fee',
    number: id,
    item_name: 'Property fee',
    note: null,
    period: { from: '2026-10-01', to: '2026-12-31' },
    amount: open,
    paid: '0.00',
    open,
    due_on: '2026-10-31',
    overdue_days: 0,
    version: 3
  }
}

const lines = () => linesOf([bill('a', '439.24'), bill('b', '5.27'), bill('c', '240.00')])

describe('the till', () => {
  it('takes everything at first', () => {
    expect(dueNow(lines())).toBe(68451)
  })

  it('leaves out what is not taken', () => {
    const some = lines()
    some[1]!.taken = false

    expect(dueNow(some)).toBe(67924)
    expect(staysOpen(some[1]!)).toBe(527)
  })

  it('takes a part and says what stays open', () => {
    const some = lines()
    some[2]!.typed = '160'

    expect(isPartial(some[2]!)).toBe(true)
    expect(staysOpen(some[2]!)).toBe(8000)
    expect(dueNow(some)).toBe(60451)
  })

  it.each([
    ['240.01', 'above-open'],
    ['0', 'zero'],
    ['1.005', 'not-an-amount'],
    ['-1', 'not-an-amount']
  ])('refuses %s', (typed, fault) => {
    const some = lines()
    some[2]!.typed = typed

    expect(faultOf(some[2]!)).toBe(fault)
    expect(dueNow(some)).toBe(44451)
  })

  it('gives change to the cent', () => {
    expect(changeOf(60070, '700')).toBe(9930)
    expect(changeOf(60070, '600')).toBe(-70)
    expect(changeOf(60070, 'x')).toBeNull()
  })

  it('offers what a payer is likely to hand over', () => {
    expect(quickAmounts(60070)).toEqual([61000, 70000, 100000])
    expect(quickAmounts(10000)).toEqual([50000])
    expect(quickAmounts(0)).toEqual([])
  })

  it('asks the server for exactly what is on the screen', () => {
    const some = lines()
    some[0]!.taken = false
    some[2]!.typed = '160'

    expect(allocationsOf(some)).toEqual([
      { bill_id: 'b', amount: '5.27', version: 3 },
      { bill_id: 'c', amount: '160.00', version: 3 }
    ])
  })
})

describe('what pays', () => {
  const account = (balance: string, item: string | null) => ({
    id: balance,
    item_id: item,
    item_name: '',
    party_name: '',
    balance
  })

  it('is what is kept for an item first, and never more than the bills', () => {
    expect(usablePrepaid([account('132.50', null)], lines())).toBe(13250)
    expect(usablePrepaid([account('9000.00', null)], lines())).toBe(68451)
    expect(usablePrepaid([account('50.00', 'other')], lines())).toBe(0)
    expect(usablePrepaid([account('700.00', 'fee'), account('9.00', null)], lines())).toBe(68451)
  })

  it('is one method, or lines that add up', () => {
    const one = { method: 'cash', kind: 'cash' as const, split: {}, offset: 0 }

    expect(methodLines(100, one)).toEqual([])
    expect(methodLines(100, { ...one, offset: 50 })).toEqual([
      { method: 'prepaid', amount: '0.50' },
      { method: 'cash', amount: '1.00' }
    ])
    expect(methodLines(0, { ...one, offset: 50 })).toEqual([{ method: 'prepaid', amount: '0.50' }])
    const several = { ...one, kind: SPLIT, split: { cash: 60, card: 40, wechat: 0 } } as const
    expect(methodLines(100, several)).toEqual([
      { method: 'cash', amount: '0.60' },
      { method: 'card', amount: '0.40' }
    ])
    expect(splitLeft(100, several.split)).toBe(0)
    expect(cashPart(100, several, new Set(['cash']))).toBe(60)
  })

  it('refuses what is no amount', () => {
    expect(extra({ taken: true, typed: '1.005' })).toBeNull()
    expect(extra({ taken: true, typed: '0' })).toBeNull()
    expect(extra({ taken: false, typed: 'x' })).toBe(0)
  })
})
