import { describe, expect, it } from 'vitest'

import {
  changeOf,
  dueNow,
  faultOf,
  isPartial,
  linesOf,
  quickAmounts,
  receiptRequest,
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

    expect(receiptRequest('room', 'cash', some, '200')).toEqual({
      room_id: 'room',
      method: 'cash',
      allocations: [
        { bill_id: 'b', amount: '5.27', version: 3 },
        { bill_id: 'c', amount: '160.00', version: 3 }
      ],
      lines: [],
      keep_rest: false,
      prepay: null,
      deposits: [],
      tendered: '200.00'
    })
    expect(receiptRequest('room', 'scan', some, '').tendered).toBeNull()
  })
})
