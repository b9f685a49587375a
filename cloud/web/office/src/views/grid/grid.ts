// How the rooms of a building are laid out: floors downward, units side by side.

import type { GridCell } from '@wuye/kit/types'

/** In the order of the legend: what is normal, what is owed, what is not lived in. */
const LOOKS = [
  'usual',
  'overdue',
  'over_3',
  'over_12',
  'vacant',
  'decorating',
  'undelivered',
  'closed'
] as const

/** Where no floor is known, as with parking spaces, more than this would not fit a row. */
const ACROSS_MAX = 12

export interface UnitColumn {
  name: string
  rooms: number
  owing: number
  across: number
}

export interface FloorRow {
  floor: number | null
  /** The rooms of each unit on this floor, by the order of the units. */
  units: GridCell[][]
}

export interface Plan {
  units: UnitColumn[]
  floors: FloorRow[]
}

export function planOf(cells: GridCell[]): Plan {
  const names = [...new Set(cells.map((cell) => cell.unit))]
  const floors = [...new Set(cells.map((cell) => cell.floor))].sort(
    (one, other) => (other ?? -Infinity) - (one ?? -Infinity)
  )
  const rows = floors.map((floor) => ({
    floor,
    units: names.map((name) => cells.filter((cell) => cell.floor === floor && cell.unit === name))
  }))
  const units = names.map((name, at) => {
    const own = cells.filter((cell) => cell.unit === name)
    return {
      name,
      rooms: own.length,
      owing: own.filter((cell) => cell.months > 0).length,
      across: Math.min(ACROSS_MAX, Math.max(...rows.map((row) => row.units[at]!.length)))
    }
  })
  return { units, floors: rows }
}

export function countLooks(cells: GridCell[]): { look: string; count: number }[] {
  return LOOKS.map((look) => ({
    look,
    count: cells.filter((cell) => cell.look === look).length
  })).filter(({ look, count }) => count > 0 || look === 'usual')
}
