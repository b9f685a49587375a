// The tree of units as the site switcher shows it: each branch with the sums of all below it.

import { centsOf } from './cents'
import type { Gateway, Unit } from './types'

/** What is known of single communities, by their ids. */
export interface SiteFigures {
  rooms: Record<string, number>
  /** Amounts as the server sends them. */
  overdue: Record<string, string>
  gateways: ReadonlyMap<string, { state: Gateway['state'] }>
}

export interface Branch {
  unit: Unit
  depth: number
  projects: number
  rooms: number
  /** In whole cents. */
  overdue: number
  /** The worst gateway at or below; none where nothing reports. */
  gateway: Gateway['state'] | null
}

const WORSE: Branch['gateway'][] = [null, 'never', 'online', 'offline']

function worse(one: Branch['gateway'], other: Branch['gateway']): Branch['gateway'] {
  return WORSE.indexOf(one) > WORSE.indexOf(other) ? one : other
}

/** Parents before children. A closed unit is left out with all below it unless it is `scope`. */
export function branchesOf(units: Unit[], figures: SiteFigures, scope: string): Branch[] {
  const ids = new Set(units.map((unit) => unit.id))
  const found: Branch[] = []

  function walk(unit: Unit, depth: number): Branch {
    const branch: Branch = {
      unit,
      depth,
      projects: unit.kind === 'project' ? 1 : 0,
      rooms: figures.rooms[unit.id] ?? 0,
      overdue: centsOf(figures.overdue[unit.id] ?? '0'),
      gateway: figures.gateways.get(unit.id)?.state ?? null
    }
    found.push(branch)
    for (const child of units) {
      if (child.parent_id !== unit.id) continue
      if (child.state === 'closed' && child.id !== scope) continue
      const below = walk(child, depth + 1)
      branch.projects += below.projects
      branch.rooms += below.rooms
      branch.overdue += below.overdue
      branch.gateway = worse(branch.gateway, below.gateway)
    }
    return branch
  }

  for (const unit of units) {
    if (!unit.parent_id || !ids.has(unit.parent_id)) walk(unit, 0)
  }
  return found
}
