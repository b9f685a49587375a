// How a tile is to be shown: what the server said, aged by the clock of the browser.

import type { Tile } from '@wuye/kit/types'

const GOOD = 0
const BAD = 2

export type Condition = 'ok' | 'warn' | 'stale' | 'silent' | 'offline' | 'never'

export function conditionOf(tile: Tile): Condition {
  if (tile.state !== 'ok') return tile.state
  if (tile.quality === BAD && tile.value === null) return 'silent'
  return tile.quality === GOOD ? 'ok' : 'warn'
}

export function isAbnormal(tile: Tile): boolean {
  return conditionOf(tile) !== 'ok'
}

export function isSilent(tile: Tile): boolean {
  return ['silent', 'offline', 'never'].includes(conditionOf(tile))
}

/** Points of a sparkline; flat signals must look flat, so the span is at least a quarter of the mean. */
export function polyline(values: number[], width: number, height: number): [number, number][] {
  const low = Math.min(...values)
  const high = Math.max(...values)
  const mean = values.reduce((total, value) => total + value, 0) / values.length
  const span = Math.max(high - low, Math.abs(mean) * 0.25, 1e-9)
  const bottom = (low + high) / 2 - span / 2
  const step = width / Math.max(1, values.length - 1)
  return values.map((value, index) => [index * step, height - ((value - bottom) / span) * height])
}
