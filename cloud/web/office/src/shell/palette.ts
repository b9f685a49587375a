// What the command palette finds: everything the server's sources know, and the pages of the menu.

import { get } from '@wuye/kit/api'
import { useSession } from '@wuye/kit/session'
import type { SearchAnswer, SearchHit } from '@wuye/kit/types'
import { sentence } from '@wuye/kit/wording'
import { computed, ref, shallowRef, watch } from 'vue'

import { leaves, pathOf } from '@/router'

import { iconOf } from './icons'

const PAGES_MAX = 9
const PAUSE_MS = 160
const MAY_READ_ROOM = 'receiving.receipt:read'
export const QUERY_MAX = 50

export interface Hit extends SearchHit {
  group: string
  heading: string
  icon: object
}

export function usePalette() {
  const session = useSession()
  const query = ref('')
  const everywhere = ref(false)
  const answer = shallowRef<SearchAnswer | null>(null)
  const failure = ref('')
  const busy = ref(false)
  const at = ref(0)
  let pending: AbortController | null = null
  let timer = 0

  const items = computed(() =>
    session.menu.flatMap((top) => leaves([top]).map((item) => ({ item, top })))
  )

  /** Before anything is typed: the way to each page. */
  const pages = computed<Omit<Hit, 'heading'>[]>(() =>
    items.value.slice(0, PAGES_MAX).map(({ item, top }) => ({
      key: item.code,
      group: 'pages',
      icon: iconOf(item.icon ?? top.icon),
      title: item.label,
      note: top === item ? '' : top.label,
      path: pathOf(item)
    }))
  )

  const found = computed<Omit<Hit, 'heading'>[] | Hit[]>(() => {
    if (!query.value.trim()) return pages.value
    return (answer.value?.groups ?? []).flatMap((group) =>
      group.hits.map((hit) => ({
        ...hit,
        group: group.code,
        heading: group.label,
        icon: iconOf(group.icon),
        path: group.code === 'rooms' ? roomPath(hit) : hit.path
      }))
    )
  })
  const hint = computed(() => (query.value.trim() ? (answer.value?.hint ?? '') : ''))

  /** The room as a whole for who may see it; its place in the list for the others. */
  function roomPath(hit: SearchHit): string {
    return session.may(MAY_READ_ROOM) ? `/rooms/${hit.key}` : hit.path
  }

  async function search(): Promise<void> {
    pending?.abort()
    failure.value = ''
    const q = query.value.trim()
    if (!q) {
      answer.value = null
      return
    }
    const mine = (pending = new AbortController())
    busy.value = true
    try {
      const asked = { q, site_id: everywhere.value ? null : session.scope }
      answer.value = await get<SearchAnswer>('/api/v1/search', asked, mine.signal)
      at.value = 0
    } catch (error) {
      if (mine.signal.aborted) return
      answer.value = null
      failure.value = sentence(error)
    } finally {
      if (pending === mine) busy.value = false
    }
  }

  watch(query, () => {
    at.value = 0
    clearTimeout(timer)
    timer = window.setTimeout(search, PAUSE_MS)
  })
  watch(everywhere, search)

  return { query, everywhere, failure, busy, hint, at, found }
}
