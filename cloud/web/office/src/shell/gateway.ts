// The gateway of the chosen project, for the foot of the menu; the live screen feeds it as well.

import { get, Problem } from '@wuye/kit/api'
import { useSession } from '@wuye/kit/session'
import type { Gateway, LiveAnswer } from '@wuye/kit/types'
import { defineStore } from 'pinia'
import { ref, watch } from 'vue'

const EVERY = 60_000

export const useGateway = defineStore('gateway', () => {
  const session = useSession()
  const known = ref<Gateway | null>(null)
  const seenAt = ref(0)
  let timer = 0

  function tell(gateway: Gateway): void {
    known.value = gateway
    seenAt.value = Date.now()
  }

  async function refresh(): Promise<void> {
    clearTimeout(timer)
    const unit = session.unit
    if (unit?.kind !== 'project' || !session.boot) return
    if (!document.hidden && Date.now() - seenAt.value > EVERY / 2) {
      try {
        const answer = await get<LiveAnswer>('/api/v1/devices/live', { site_id: unit.id })
        if (session.unit?.id === unit.id) tell(answer.gateway)
      } catch (error) {
        if (error instanceof Problem && error.status < 500) return
      }
    }
    timer = window.setTimeout(refresh, EVERY)
  }

  watch(
    () => session.scope,
    () => {
      known.value = null
      seenAt.value = 0
      void refresh()
    },
    { immediate: true }
  )

  return { known, seenAt, tell }
})
