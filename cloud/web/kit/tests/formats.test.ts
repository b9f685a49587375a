import { describe, expect, it } from 'vitest'

import {
  age,
  clock,
  grouped,
  hits,
  measured,
  money,
  percent,
  period,
  price,
  quantity,
  total
} from '../src/formats'

const ZONE = 'Asia/Shanghai'

describe('amounts', () => {
  it.each([
    ['1206.09', '1,206.09'],
    ['8246310.27', '8,246,310.27'],
    ['-350.00', '−350.00'],
    ['0.00', '–'],
    ['240', '240.00']
  ])('writes money %s', (value, text) => expect(money(value)).toBe(text))

  it('writes a total of zero', () => expect(total('0')).toBe('0.00'))

  it('keeps a long amount exact', () =>
    expect(money('9007199254740993.01')).toBe('9,007,199,254,740,993.01'))

  it('drops the zeros of a price but not its cents', () => {
    expect([price('2.380000'), price('0.538100'), price('3')]).toEqual(['2.38', '0.5381', '3.00'])
  })

  it('leaves quantities as entered', () => {
    expect(['1284.50', '126.4000', '12.0000', '128.4060'].map(quantity)).toEqual([
      '1,284.50',
      '126.40',
      '12',
      '128.406'
    ])
  })

  it('writes shares and readings', () => {
    expect([percent('0.854'), measured(1.2345, 2), measured(null, 2)]).toEqual([
      '85.4%',
      '1.23',
      '—'
    ])
  })

  it('groups without decimals', () => expect(grouped('12846')).toBe('12,846'))
})

describe('periods', () => {
  it.each([
    ['2026-11-01', '2026-11-30', '2026-11'],
    ['2026-10-01', '2026-12-31', '2026-10 ~ 2026-12'],
    ['2028-02-01', '2028-02-29', '2028-02'],
    ['2026-10-05', '2026-12-31', '2026-10-05 ~ 2026-12-31']
  ])('%s to %s', (from, to, text) => expect(period({ from, to })).toBe(text))
})

describe('time', () => {
  it('shows the wall clock of the site', () => {
    expect(clock('2026-11-24T01:32:07Z', ZONE).full).toBe('2026-11-24 09:32:07')
    expect(clock('2026-11-23T16:00:00Z', ZONE).full).toBe('2026-11-24 00:00:00')
  })

  it('ages up to a day', () => {
    const now = Date.parse('2026-11-24T01:00:00Z')
    expect(age('2026-11-24T00:59:48Z', now)).toEqual({ unit: 'seconds', n: 12 })
    expect(age('2026-11-24T00:57:00Z', now)).toEqual({ unit: 'minutes', n: 3 })
    expect(age('2026-11-23T20:00:00Z', now)).toEqual({ unit: 'hours', n: 5 })
    expect(age('2026-11-22T20:00:00Z', now)).toBeNull()
  })
})

describe('hits', () => {
  it('splits a label round the match', () => {
    expect(hits('3幢1单元1202', '1202')).toEqual([
      { text: '3幢1单元', hit: false },
      { text: '1202', hit: true }
    ])
    expect(hits('x', '')).toEqual([{ text: 'x', hit: false }])
  })
})
