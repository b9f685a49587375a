// What a form starts from, what is wrong with it, and what goes to the server.

import { cents, decimal } from '@wuye/kit/cents'
import { t } from '@wuye/kit/i18n'
import type { Field, Row } from '@wuye/kit/page'
import { perCent, shareOf } from '@wuye/kit/share'

export type FormValue =
  string | string[] | boolean | { from: string; to: string } | FormValues[] | null
export interface FormValues {
  [key: string]: FormValue
}

const DECIMALS: Partial<Record<Field['kind'], number>> = { price: 6, quantity: 4, percent: 2 }

export function initial(fields: Field[], row: Row): FormValues {
  return Object.fromEntries(fields.map((field) => [field.key, start(field, row)]))
}

function start(field: Field, row: Row): FormValue {
  const current = row[field.start_key ?? field.key] as FormValue | number | undefined
  if (current !== undefined && current !== null) return typed(field, current)
  if (field.kind === 'multi') return field.default ? field.default.split(',') : []
  if (field.kind === 'flag') return field.default === 'true'
  if (field.kind === 'lines')
    return Array.from({ length: field.least }, () => initial(field.lines, {}))
  return field.default ?? null
}

/** What the row calls the record that a field names: room_id goes with room_name. */
export function labelOf(field: Field, row: Row): string | null {
  const stem = field.key.replace(/_id$/, '')
  const label = stem === field.key ? null : (row[`${stem}_name`] ?? row[stem])
  return typeof label === 'string' && label ? label : null
}

/** As a person would type it: 2.380000 is 2.38. */
function typed(field: Field, current: FormValue | number): FormValue {
  if (field.kind === 'percent') return perCent(String(current))
  const amount = field.kind === 'money' ? cents(String(current)) : null
  if (amount !== null) return decimal(amount)
  if (typeof current === 'number') return String(current)
  if (typeof current !== 'string' || !(field.kind in DECIMALS) || !current.includes('.'))
    return current
  return current.replace(/\.?0+$/, '')
}

/** "Charge items" is "charge items" inside a sentence; "ID number" stays. */
export function inSentence(label: string): string {
  return /^[A-Z][a-z]/.test(label) ? label.charAt(0).toLowerCase() + label.slice(1) : label
}

/** The faults of a field by their paths: its own key, or "bands.1.upto" inside a list. */
export function faultsOf(field: Field, value: FormValue): Record<string, string> {
  if (field.kind !== 'lines') {
    const fault = faultOf(field, value)
    return fault ? { [field.key]: fault } : {}
  }
  const found: Record<string, string> = {}
  for (const [index, line] of (value as FormValues[]).entries())
    for (const part of field.lines) {
      const fault = faultOf(part, line[part.key] ?? null)
      if (fault) found[`${field.key}.${index}.${part.key}`] = fault
    }
  return found
}

function faultOf(field: Field, value: FormValue): string | null {
  const text = typeof value === 'string' ? value.trim() : ''
  const empty =
    value === null ||
    value === '' ||
    (typeof value === 'string' && !text) ||
    (Array.isArray(value) && !value.length)
  if (empty)
    return field.required
      ? t(isPicked(field) ? 'form.pick' : 'form.enter', { field: inSentence(field.label) })
      : null
  if (field.kind === 'money' && cents(text) === null) return t('form.money')
  if (field.kind === 'count' && !/^\d{1,9}$/.test(text)) return t('form.count')
  const places = DECIMALS[field.kind]
  if (places && !new RegExp(`^-?\\d{1,12}(\\.\\d{1,${places}})?$`).test(text))
    return t(field.kind === 'percent' ? 'form.percent' : 'form.decimal', { n: places })
  if (field.kind === 'percent' && !(Number(text) >= 0 && Number(text) <= 100))
    return t('form.percent', { n: places ?? 0 })
  return null
}

export function payload(fields: Field[], values: FormValues): Record<string, unknown> {
  return Object.fromEntries(
    fields.map((field) => [field.key, sent(field, values[field.key] ?? null)])
  )
}

function sent(field: Field, value: FormValue): unknown {
  if (field.kind === 'lines')
    return (value as FormValues[]).map((line) => payload(field.lines, line))
  if (typeof value !== 'string') return value
  const text = value.trim()
  if (!text) return null
  if (field.kind === 'count') return Number(text)
  if (field.kind === 'percent') return shareOf(text)
  return field.kind === 'money' ? text.replace(/[,，]/g, '') : text
}

function isPicked(field: Field): boolean {
  return ['choice', 'lookup', 'multi', 'date', 'datetime', 'period'].includes(field.kind)
}

/** "bills.0.amount" or "body.amount" → the field it belongs to, or the place in a list of it. */
export function fieldOfPath(path: string, fields: Field[]): string | null {
  const steps = path.split('.')
  const field = fields.find((one) => steps.includes(one.key))
  if (field?.kind !== 'lines') return field?.key ?? null
  const [index, key] = steps.slice(steps.indexOf(field.key) + 1)
  const inside = field.lines.some((part) => part.key === key)
  return inside ? `${field.key}.${index}.${key}` : field.key
}
