// One record: its page, its payload, and following it while the system still works on it.

import { get } from '@wuye/kit/api'
import type { Detail, Row } from '@wuye/kit/page'
import { computed, onBeforeUnmount, ref, shallowRef, watch } from 'vue'

import { pageOf } from '../store'
import { fill, isWorking } from '../values'

const POLL_MS = 1_000

export function useDetail(code: () => string, id: () => string, settled: () => void) {
  const page = shallowRef<Detail | null>(null)
  const row = shallowRef<Row | null>(null)
  const failure = shallowRef<unknown>(null)
  const loading = ref(false)
  let timer = 0
  let round = 0

  const working = computed(() => row.value !== null && isWorking(row.value))

  async function load(quiet = false): Promise<void> {
    clearTimeout(timer)
    const mine = ++round
    if (!quiet) loading.value = true
    try {
      const next = page.value?.code === code() ? page.value : await pageOf<Detail>(code())
      const payload = await get<Row>(fill(next.source, { id: id() }, encodeURIComponent))
      if (mine !== round) return
      const was = working.value
      page.value = next
      row.value = payload
      failure.value = null
      if (working.value) timer = window.setTimeout(() => void load(true), POLL_MS)
      else if (was && quiet) settled()
    } catch (error) {
      if (mine !== round) return
      if (quiet) timer = window.setTimeout(() => void load(true), POLL_MS * 3)
      else failure.value = error
    } finally {
      if (mine === round) loading.value = false
    }
  }

  watch([code, id], () => void load(), { immediate: true })
  onBeforeUnmount(() => {
    clearTimeout(timer)
    round += 1
  })

  return { page, row, failure, loading, working, load }
}
