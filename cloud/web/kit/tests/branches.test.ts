import { describe, expect, it } from 'vitest'

import { branchesOf, type SiteFigures } from '../src/branches'
import { decimal } from '../src/cents'
import type { Unit } from '../src/types'

function unit(id: string, kind: Unit['kind'], parent: string | null, state = 'active'): Unit {
  return {
    id,
    kind,
    parent_id: parent,
    state: state as Unit['state'],
    name: id,
    code: id,
    city: ''
  }
}

const UNITS = [
  unit('all', 'company', null),
  unit('east', 'region', 'all'),
  unit('north', 'region', 'all'),
  unit('a', 'project', 'east'),
  unit('b', 'project', 'east'),
  unit('c', 'project', 'north'),
  unit('gone', 'project', 'north', 'closed')
]
const FIGURES: SiteFigures = {
  rooms: { a: 80, b: 96, c: 64 },
  overdue: { a: '0.10', b: '0.20', c: '1206330.09' },
  gateways: new Map([
    ['a', { state: 'online' }],
    ['b', { state: 'offline' }]
  ])
}

function shown(units: Unit[], figures = FIGURES, scope = '') {
  return Object.fromEntries(branchesOf(units, figures, scope).map((one) => [one.unit.id, one]))
}

describe('branchesOf', () => {
  it('adds what is overdue to the cent, up to the company', () => {
    const sums = Object.values(shown(UNITS)).map((one) => [one.unit.id, decimal(one.overdue)])
    expect(Object.fromEntries(sums)).toEqual({
      all: '1206330.39',
      east: '0.30',
      a: '0.10',
      b: '0.20',
      north: '1206330.09',
      c: '1206330.09'
    })
  })

  it('counts rooms and communities and tells the worst gateway', () => {
    const { all, east } = shown(UNITS)
    expect([all?.projects, all?.rooms, all?.gateway]).toEqual([3, 240, 'offline'])
    expect([east?.projects, east?.rooms, east?.depth]).toEqual([2, 176, 1])
  })

  it('shows a closed unit only while it is looked at', () => {
    expect(shown(UNITS).gone).toBeUndefined()
    expect(shown(UNITS, FIGURES, 'gone').gone?.overdue).toBe(0)
  })

  it('begins with the highest units that one sees', () => {
    const found = branchesOf(UNITS.slice(3, 5), FIGURES, '')
    expect(found.map((one) => [one.unit.id, one.depth])).toEqual([
      ['a', 0],
      ['b', 0]
    ])
  })

  it('knows nothing overdue for who may not read bills', () => {
    expect(shown(UNITS, { ...FIGURES, overdue: {} }).all?.overdue).toBe(0)
  })
})
