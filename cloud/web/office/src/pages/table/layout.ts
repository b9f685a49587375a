// Widths, order and height of the rows: what the declaration says, then what this person chose.

import type { Action, Column, Kind, Table } from '@wuye/kit/page'
import { useSession } from '@wuye/kit/session'
import type { Layout } from '@wuye/kit/types'
import { computed, reactive, watch } from 'vue'

import { alignsRight } from '../values'
import type { Kept as Preferences } from './preferences'

export const HEIGHTS = { compact: 30, normal: 36, loose: 44 } as const
export type Height = keyof typeof HEIGHTS

const WIDTHS: Record<Kind, number> = {
  text: 112,
  number: 128,
  money: 106,
  price: 92,
  quantity: 100,
  count: 84,
  percent: 80,
  date: 112,
  datetime: 140,
  age: 100,
  period: 140,
  tag: 84,
  flag: 64,
  phone: 116
}

/** A declared width gives way down to here before the table scrolls sideways. */
const LEAST: Record<Kind, number> = {
  text: 66,
  number: 124,
  money: 94,
  price: 84,
  quantity: 96,
  count: 64,
  percent: 68,
  date: 98,
  datetime: 140,
  age: 92,
  period: 144,
  tag: 66,
  flag: 56,
  phone: 108
}

/** What tells one row from another is never cut: the other columns give way, or the table scrolls. */
const NAMING = ['code', 'number', 'receipt_number', 'room_name', 'name']

const DATE_WITH_NOTE = 144
const WITH_UNIT = 66
const NAMED = 0.9 // of its declared width a naming column keeps so much
const GROWTH_MAX = 1.7
const FIXED = 2
export const CHECK_WIDTH = 44
const CELL_PADDING = 21
const AFTER_NUMBER = 14

export interface Kept {
  order: string[]
  hidden: string[]
  height: Height
}

export function useLayout(table: Table, preferences: Preferences) {
  const session = useSession()
  const plain: Kept = { order: table.columns.map((one) => one.key), hidden: [], height: 'normal' }
  const kept = reactive<Kept>({ ...plain })
  const known = new Set(plain.order)
  let told = ''

  /** Columns that a newer version brought stand behind those that this person arranged. */
  function take(layout: Layout): void {
    const order = layout.order.filter((key) => known.has(key))
    kept.order = [...order, ...plain.order.filter((key) => !order.includes(key))]
    kept.hidden = layout.hidden.filter((key) => known.has(key))
    kept.height = layout.height in HEIGHTS ? (layout.height as Height) : 'normal'
  }

  const chosen = (): Layout => ({ order: kept.order, hidden: kept.hidden, height: kept.height })

  watch(preferences.layout, (layout) => {
    if (!layout) return
    take(layout)
    told = JSON.stringify(chosen())
  })
  watch(
    kept,
    () => {
      const now = JSON.stringify(chosen())
      if (now === told) return
      told = now
      preferences.keep(JSON.parse(now) as Layout)
    },
    { deep: true }
  )

  const fixed = new Set(plain.order.filter((key) => key !== 'site_name').slice(0, FIXED))
  /** Inside one project the name of the project says nothing. */
  const ordered = computed(() =>
    kept.order
      .map((key) => table.columns.find((one) => one.key === key)!)
      .filter(
        (one) => one.key !== 'site_name' || fixed.has(one.key) || session.unit?.kind !== 'project'
      )
  )
  const columns = computed(() =>
    ordered.value.filter((one) => fixed.has(one.key) || !kept.hidden.includes(one.key))
  )

  function show(key: string, shown: boolean): void {
    kept.hidden = shown ? kept.hidden.filter((one) => one !== key) : [...kept.hidden, key]
  }

  /** Puts one column where another is; fixed ones stay. */
  function move(key: string, place: string): void {
    if (fixed.has(key) || fixed.has(place) || key === place) return
    const to = kept.order.indexOf(place)
    kept.order.splice(kept.order.indexOf(key), 1)
    kept.order.splice(to, 0, key)
  }

  function reset(): void {
    Object.assign(kept, { order: [...plain.order], hidden: [], height: kept.height })
  }

  return { kept, ordered, columns, fixed, take, chosen, show, move, reset }
}

/** A left-aligned column behind a right-aligned one stands further from it. */
export function isAfterNumber(column: Column, before: Column | undefined): boolean {
  return Boolean(before && alignsRight(before) && !alignsRight(column))
}

function widthOf(column: Column, before?: Column): number {
  const width =
    column.width ??
    (column.note_key && column.kind === 'date' ? DATE_WITH_NOTE : WIDTHS[column.kind])
  return Math.max(width, leastOf(column, before))
}

/** Room for the heading, and for the longest tag: English words are longer. */
function leastOf(column: Column, before?: Column): number {
  const heading = textWidth(column.label, 12) + (column.sortable ? 17 : 0)
  const tags =
    column.kind === 'tag' ? column.options.map((option) => textWidth(option.label, 12) + 12) : []
  const gap = isAfterNumber(column, before) ? AFTER_NUMBER : 0
  return Math.ceil(Math.max(heading, ...tags)) + CELL_PADDING + gap
}

function leastOfKind(column: Column, before?: Column): number {
  const gap = isAfterNumber(column, before) ? AFTER_NUMBER : 0
  if (NAMING.includes(column.key))
    return Math.max(LEAST[column.kind], Math.ceil((column.width ?? WIDTHS[column.kind]) * NAMED))
  if (column.unit_key) return LEAST[column.kind] + WITH_UNIT
  return (column.kind === 'date' && column.note_key ? DATE_WITH_NOTE : LEAST[column.kind]) + gap
}

/** A row shows the first action that applies, the others open from the dots. */
export function actionsWidth(actions: Action[]): number {
  if (!actions.length) return 0
  const first = actions.filter((one, at) => !actions.slice(0, at).some((two) => covers(two, one)))
  const longest = Math.max(...first.map((one) => textWidth(one.label, 13)))
  return Math.ceil(longest) + (actions.length > 1 ? 34 : 0) + CELL_PADDING + 10
}

/** Wherever the other applies, this one does too. */
function covers(one: Action, other: Action): boolean {
  return Object.entries(one.when).every(([key, values]) =>
    other.when[key]?.every((value) => values.includes(value))
  )
}

const pen = document.createElement('canvas').getContext('2d')

function textWidth(text: string, size: number): number {
  if (!pen) return text.length * size
  pen.font = `${size}px ${getComputedStyle(document.body).fontFamily}`
  return pen.measureText(text).width
}

/**
 * Widths for the room there is. What is left over is shared out, up to a point: far-apart values are
 * hard to read across. What is missing is taken from the columns that have more than they need.
 */
export function spread(columns: Column[], room: number): number[] {
  const widths = columns.map((column, index) => widthOf(column, columns[index - 1]))
  const factor = room / sumOf(widths)
  if (factor > GROWTH_MAX) return widths.map((width) => Math.floor(width * GROWTH_MAX))
  if (factor < 1) return squeeze(columns, widths, room)
  const wide = widths.map((width) => Math.floor(width * factor))
  wide[wide.length - 1]! += room - sumOf(wide)
  return wide
}

function squeeze(columns: Column[], widths: number[], room: number): number[] {
  const least = columns.map((column, index) =>
    Math.max(leastOf(column, columns[index - 1]), Math.min(widths[index]!, leastOfKind(column, columns[index - 1])))
  )
  const free = Math.max(0, room - sumOf(least))
  const slack = Math.max(1, sumOf(widths) - sumOf(least))
  return least.map((width, index) => width + Math.floor(((widths[index]! - width) * free) / slack))
}

export const sumOf = (widths: number[]): number => widths.reduce((sum, width) => sum + width, 0)
