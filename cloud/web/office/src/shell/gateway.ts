// The gateways of what the viewer sees: the foot of the menu, the dots of the site tree.

import { get } from '@wuye/kit/api'
import { useSession } from '@wuye/kit/session'
import type { Gateway, GatewayRow } from '@wuye/kit/types'
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'

const EVERY = 30_000
const MOST = 200
const MAY_READ = 'devices.gateway:read'

export const useGateway = defineStore('gateway', () => {
  const session = useSession()
  const bySite = shallowRef(new Map<string, GatewayRow>())
  const live = shallowRef<{ site: string; gateway: Gateway; at: number } | null>(null)
  const timer = ref(0)

  const known = computed<{ state: Gateway['state']; at: string | number | null } | null>(() => {
    const { unit } = session
    if (unit?.kind !== 'project') return null
    if (live.value?.site === unit.id) {
      const { gateway, at } = live.value
      return { state: gateway.state, at: gateway.state === 'online' ? at : gateway.since }
    }
    const row = bySite.value.get(unit.id)
    return row ? { state: row.state, at: row.seen_at ?? row.since } : null
  })

  /** The live screen hears of a change first. */
  function tell(site: string, gateway: Gateway): void {
    live.value = { site, gateway, at: Date.now() }
  }

  async function refresh(): Promise<void> {
    clearTimeout(timer.value)
    if (!session.boot || !session.may(MAY_READ)) return
    if (!document.hidden) {
      try {
        const list = await get<{ items: GatewayRow[] }>('/api/v1/devices/gateways', { size: MOST })
        bySite.value = new Map(list.items.map((row) => [row.site_id, row]))
        live.value = null
      } catch {
        // The stale bar tells of a lost connection; the dots keep what was last known.
      }
    }
    timer.value = window.setTimeout(refresh, EVERY)
  }

  watch(() => session.user?.id, refresh, { immediate: true })

  return { bySite, known, tell }
})
