// Whether the server answers, and whether what is on the screen can be trusted to be current.

import { defineStore } from 'pinia'
import { computed, ref } from 'vue'

import { listen } from './api'
import type { Health } from './types'

const STEADY = 15_000
const LOST = 4_000
const WRITE_PARTS = ['postgres', 'database', 'web']

export const useConnection = defineStore('connection', () => {
  const reachable = ref(true)
  const streaming = ref(true)
  const lastOk = ref(Date.now())
  const down = ref<string[]>([])
  const checking = ref(false)
  let timer = 0

  const lost = computed(() => !reachable.value || !streaming.value)
  const degraded = computed(() => !lost.value && down.value.length > 0)
  /** Writing stays possible while only devices or reports are away. */
  const writable = computed(
    () => !lost.value && !down.value.some((part) => WRITE_PARTS.includes(part))
  )

  function reached(ok: boolean): void {
    if (ok) lastOk.value = Date.now()
    if (ok === reachable.value) return
    reachable.value = ok
    schedule()
  }

  async function check(): Promise<void> {
    checking.value = true
    try {
      const response = await fetch('/healthz', { signal: AbortSignal.timeout(6_000) })
      const health = (await response.json()) as Health
      down.value = Object.entries(health.parts ?? {})
        .filter(([, part]) => part.status !== 'ready' && part.status !== 'ok')
        .map(([name]) => name)
      reached(true)
    } catch {
      reached(false)
    } finally {
      checking.value = false
      schedule()
    }
  }

  function schedule(): void {
    clearTimeout(timer)
    timer = window.setTimeout(check, reachable.value ? STEADY : LOST)
  }

  function watch(): void {
    listen({ reached })
    window.addEventListener('offline', () => reached(false))
    window.addEventListener('online', check)
    void check()
  }

  return { lost, degraded, writable, lastOk, down, checking, streaming, check, watch }
})
