// What this person keeps of a page on the server: the columns, and views of their own.

import { call, get } from '@wuye/kit/api'
import type { Layout, Preferences, SavedView } from '@wuye/kit/types'
import { sentence } from '@wuye/kit/wording'
import { ElMessage } from 'element-plus'
import { shallowRef } from 'vue'

const PAUSE_MS = 800

export type Kept = ReturnType<typeof usePreferences>

export function usePreferences(code: string) {
  const path = `/api/v1/ui/preferences/${encodeURIComponent(code)}`
  const views = shallowRef<SavedView[]>([])
  const layout = shallowRef<Layout | null>(null)
  let timer = 0

  async function load(): Promise<void> {
    try {
      take(await get<Preferences>(path))
    } catch {
      // The page does without them; the stale bar tells of a lost connection.
    }
  }

  function take(answer: Preferences): void {
    views.value = answer.views
    layout.value = answer.layout
  }

  /** Dragging a column changes the order many times: only where it stays is sent. */
  function keep(next: Layout): void {
    clearTimeout(timer)
    timer = window.setTimeout(async () => {
      try {
        await call('PUT', path, { body: next })
      } catch (error) {
        ElMessage.error(sentence(error))
      }
    }, PAUSE_MS)
  }

  async function save(view: Omit<SavedView, 'id'>): Promise<SavedView | undefined> {
    take(await call<Preferences>('POST', `${path}/views`, { body: view }))
    return views.value.find((one) => one.name === view.name)
  }

  async function remove(id: string): Promise<void> {
    take(await call<Preferences>('DELETE', `${path}/views/${id}`))
  }

  return { views, layout, load, keep, save, remove }
}
