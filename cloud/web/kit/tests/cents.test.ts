import { describe, expect, it } from 'vitest'

import { cents, centsOf, decimal, sum } from '../src/cents'

describe('cents', () => {
  it.each([
    ['600.70', 60070],
    ['1,206.09', 120609],
    ['7', 700],
    ['7.', 700],
    ['0.1', 10],
    ['-3.50', -350],
    ['−3.50', -350]
  ])('reads %s', (text, value) => expect(cents(text)).toBe(value))

  it.each(['', 'abc', '1.005', '1e3', '--1', '12345678901234', '.5', '1.2.3'])(
    'refuses %s',
    (text) => expect(cents(text)).toBeNull()
  )

  it('adds what floats cannot', () => {
    expect(decimal(sum(['0.10', '0.20', '439.24', '5.27']))).toBe('444.81')
  })

  it('writes small and negative amounts', () => {
    expect([decimal(0), decimal(5), decimal(-5), decimal(120609)]).toEqual([
      '0.00',
      '0.05',
      '-0.05',
      '1206.09'
    ])
  })

  it('takes a broken amount from the server for what it is', () => {
    expect(() => centsOf('1.234')).toThrow(RangeError)
  })
})
