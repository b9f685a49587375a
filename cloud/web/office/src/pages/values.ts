// Reads and writes values of a row by the keys of the page language.

import * as formats from '@wuye/kit/formats'
import { ago } from '@wuye/kit/now'
import type { Column, Option, Row, Value } from '@wuye/kit/page'
import type { Span } from '@wuye/kit/types'

/** "progress.done" reaches into objects. */
export function valueAt(row: Row, key: string): Value {
  let value: Value = row
  for (const step of key.split('.')) {
    if (value === null || typeof value !== 'object') return undefined
    value = (value as Record<string, Value>)[step]
  }
  return value
}

/** Fills {key} from a row; an unknown key stays empty. */
export function fill(template: string, row: Row, write: (text: string) => string = String): string {
  return template.replace(/\{([\w.]+)\}/g, (_, key: string) => {
    const value = valueAt(row, key)
    return value == null ? '' : write(String(value))
  })
}

/** A sentence with amounts as people write them. */
export function say(template: string, row: Row): string {
  return fill(template, row, (text) => (/^-?\d+\.\d{2}$/.test(text) ? formats.grouped(text) : text))
}

export function optionOf(column: Column, row: Row): Option | null {
  const value = valueAt(row, column.key)
  if (value == null || value === '') return null
  if (typeof value === 'object') return value as Option
  // A bill that is due too long keeps its own state; the list shows the one that asks for action.
  const wanted = row.is_overdue === true && value === 'unpaid' ? 'overdue' : String(value)
  return (
    column.options.find((option) => option.value === wanted) ??
    column.options.find((option) => option.value === String(value)) ?? {
      value: wanted,
      label: String(value),
      tone: 'mute'
    }
  )
}

export function written(column: Column, row: Row, zone: string): string {
  const value = valueAt(row, column.key)
  if (value == null || value === '') return formats.NONE
  const text = String(value)
  switch (column.kind) {
    case 'money':
      return formats.money(text)
    case 'price':
      return formats.price(text)
    case 'quantity':
      return formats.quantity(text)
    case 'count':
      return formats.count(text)
    case 'percent':
      return formats.percent(text)
    case 'date':
      return formats.date(text)
    case 'datetime':
      return formats.clock(text, zone).full.slice(0, 16)
    case 'age':
      return ago(text, zone)
    case 'period':
      return formats.period(value as Span)
    case 'tag':
      return optionOf(column, row)?.label ?? text
    case 'flag':
      return value === true || text === 'true' ? '✓' : formats.NONE
    default:
      return column.options.find((option) => option.value === text)?.label ?? text
  }
}

const WORKING = new Set(['generating', 'publishing', 'running', 'queued'])

/** The system is at work on this record; its next state comes without anyone doing anything. */
export function isWorking(row: Row): boolean {
  const state = row.state
  return WORKING.has(String(state && typeof state === 'object' ? (state as Option).value : state))
}

const RIGHT = new Set(['money', 'price', 'quantity', 'count', 'percent'])

export function alignsRight(column: Column): boolean {
  return RIGHT.has(column.kind)
}

export function unitOf(column: Column, row: Row): string {
  return column.unit_key ? String(valueAt(row, column.unit_key) ?? '') : (column.unit ?? '')
}
