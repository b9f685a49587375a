// How values are written, the same in both languages: digits, dates, periods, ages.

const DAY = 86_400_000
export const NONE = '–'
const MINUS = '\u2212'

/** Groups the digits of a decimal string without going through a float. */
export function grouped(text: string, decimals?: number): string {
  const negative = text.startsWith('-')
  const [whole = '0', fraction = ''] = text.replace(/^[+-]/, '').split('.')
  const head = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',')
  const tail = decimals === undefined ? fraction : fraction.padEnd(decimals, '0').slice(0, decimals)
  return `${negative ? MINUS : ''}${head}${tail ? `.${tail}` : ''}`
}

export function isZero(text: string): boolean {
  return !/[1-9]/.test(text)
}

/** Money in a table: two decimals, a dash for none or zero. */
export function money(value: string | null | undefined): string {
  return value == null || value === '' || isZero(value) ? NONE : grouped(value, 2)
}

/** Money as a total: zero is written out. */
export function total(value: string | null | undefined): string {
  return value == null || value === '' ? NONE : grouped(value, 2)
}

export function price(value: string | null | undefined): string {
  if (value == null || value === '') return NONE
  const [whole = '0', fraction = ''] = value.split('.')
  const kept = fraction.replace(/0+$/, '')
  return grouped(kept.length < 2 ? `${whole}.${kept.padEnd(2, '0')}` : `${whole}.${kept}`)
}

/** Readings and areas: as entered, without the zeros that a column of four decimals adds. */
export function quantity(value: string | number | null | undefined): string {
  if (value == null || value === '') return NONE
  const [whole = '0', fraction = ''] = String(value).split('.')
  const kept = fraction.length > 2 ? fraction.replace(/0+$/, '').padEnd(2, '0') : fraction
  return grouped(/[1-9]/.test(kept) ? `${whole}.${kept}` : whole)
}

export function count(value: number | string | null | undefined): string {
  return value == null || value === '' ? NONE : grouped(String(value))
}

/** A share written with one decimal: "0.854" or 0.854 → "85.4%". */
export function percent(value: number | string | null | undefined): string {
  if (value == null || value === '') return NONE
  return `${(Number(value) * 100).toFixed(1).replace('-', MINUS)}%`
}

export function measured(value: number | null, digits: number): string {
  return value === null ? '—' : grouped(value.toFixed(digits))
}

/** Closed dates: whole months as months, anything else as days. */
export function period(span: { from: string; to: string } | null | undefined): string {
  if (!span) return NONE
  const { from, to } = span
  if (!isMonthStart(from) || !isMonthEnd(to)) return from === to ? from : `${from} ~ ${to}`
  const [first, last] = [from.slice(0, 7), to.slice(0, 7)]
  return first === last ? first : `${first} ~ ${last}`
}

export function date(value: string | null | undefined): string {
  return value ? value.slice(0, 10) : NONE
}

function isMonthStart(day: string): boolean {
  return day.slice(8, 10) === '01'
}

function isMonthEnd(day: string): boolean {
  const next = new Date(Date.parse(`${day.slice(0, 10)}T00:00:00Z`) + DAY)
  return next.getUTCDate() === 1
}

export interface Clock {
  date: string
  time: string
  seconds: string
  full: string
}

const writers = new Map<string, Intl.DateTimeFormat>()

/** An instant on the wall clock of the site's time zone. */
export function clock(instant: string | number, zone: string): Clock {
  let writer = writers.get(zone)
  if (!writer) {
    writer = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23'
    })
    writers.set(zone, writer)
  }
  const part: Record<string, string> = {}
  for (const { type, value } of writer.formatToParts(new Date(instant))) part[type] = value
  const day = `${part.year}-${part.month}-${part.day}`
  const time = `${part.hour}:${part.minute}`
  const seconds = `${time}:${part.second}`
  return { date: day, time, seconds, full: `${day} ${seconds}` }
}

/** Message key and number of an age, or null when a day or more has passed. */
export function age(
  instant: string | number,
  now: number
): { unit: 'seconds' | 'minutes' | 'hours'; n: number } | null {
  const at = typeof instant === 'number' ? instant : Date.parse(instant)
  const past = Math.max(0, now - at)
  if (past < 60_000) return { unit: 'seconds', n: Math.floor(past / 1000) }
  if (past < 3_600_000) return { unit: 'minutes', n: Math.floor(past / 60_000) }
  return past < DAY ? { unit: 'hours', n: Math.floor(past / 3_600_000) } : null
}

/** Splits a label so that the part that matched can be set apart without HTML. */
export function hits(text: string, query: string): { text: string; hit: boolean }[] {
  const at = query ? text.toLowerCase().indexOf(query.toLowerCase()) : -1
  if (at < 0) return [{ text, hit: false }]
  return [
    { text: text.slice(0, at), hit: false },
    { text: text.slice(at, at + query.length), hit: true },
    { text: text.slice(at + query.length), hit: false }
  ].filter((part) => part.text)
}
