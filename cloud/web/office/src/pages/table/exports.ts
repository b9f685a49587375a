// Exports of lists: at once, or in the background with a history to fetch them from.

import { fetchFile, get, save, type Query } from '@wuye/kit/api'
import type { Table } from '@wuye/kit/page'
import type { ExportJob } from '@wuye/kit/types'
import { sentence } from '@wuye/kit/wording'
import { ElMessage } from 'element-plus'
import { computed, ref, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'

const POLL_MS = 1500
export const running = (one: ExportJob): boolean =>
  one.state === 'waiting' || one.state === 'running'

/** Exporting one table; `later` is called when the worker makes the file. */
export function useExport(table: Table, later: () => void) {
  const { t } = useI18n()
  const busy = ref(false)

  async function start(query: Query): Promise<void> {
    if (!table.export || busy.value) return
    busy.value = true
    try {
      const file = await fetchFile(table.export, query, `${table.title}.xlsx`)
      if (file.later) later()
      else {
        save(file)
        ElMessage.success(t('table.exported', { name: file.name }))
      }
    } catch (error) {
      ElMessage.error({ message: sentence(error), duration: 5000 })
    } finally {
      busy.value = false
    }
  }

  return { busy, start }
}

/** The caller's own exports, asked again while one is being made. */
export function useHistory() {
  const items = shallowRef<ExportJob[] | null>(null)
  const failure = shallowRef<unknown>(null)
  const open = computed(() => items.value?.some(running) ?? false)
  let timer = 0
  let stopped = false

  async function load(): Promise<void> {
    window.clearTimeout(timer)
    try {
      items.value = (await get<{ items: ExportJob[] }>('/api/v1/ui/exports')).items
      failure.value = null
    } catch (error) {
      failure.value = error
    }
    if (!stopped && (open.value || failure.value))
      timer = window.setTimeout(() => void load(), POLL_MS)
  }

  function stop(): void {
    stopped = true
    window.clearTimeout(timer)
  }

  async function fetchOne(one: ExportJob): Promise<void> {
    try {
      save(await fetchFile(`/api/v1/ui/exports/${one.id}/file`, {}, `${one.title}.xlsx`))
    } catch (error) {
      ElMessage.error({ message: sentence(error), duration: 5000 })
      void load()
    }
  }

  return { items, failure, load, stop, fetchOne }
}
