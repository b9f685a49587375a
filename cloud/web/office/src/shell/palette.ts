// What the command palette finds: rooms of the counter and pages of the menu.

import { get } from '@wuye/kit/api'
import { useSession } from '@wuye/kit/session'
import type { FoundRoom } from '@wuye/kit/types'
import { sentence } from '@wuye/kit/wording'
import { DoorOpen } from '@lucide/vue'
import { computed, ref, watch } from 'vue'

import { leaves, pathOf } from '@/router'

import { iconOf } from './icons'

const ROOMS_MAX = 8
const PAUSE_MS = 160

export interface Hit {
  key: string
  group: 'rooms' | 'pages'
  icon: object
  label: string
  note: string
  owed?: string
  path: string
}

export function usePalette() {
  const session = useSession()
  const query = ref('')
  const everywhere = ref(false)
  const rooms = ref<FoundRoom[]>([])
  const failure = ref('')
  const at = ref(0)
  let pending: AbortController | null = null
  let timer = 0

  const items = computed(() =>
    session.menu.flatMap((top) => leaves([top]).map((item) => ({ item, top })))
  )
  const atCounter = computed(() => items.value.some(({ item }) => item.view === '/counter'))

  const pages = computed<Hit[]>(() => {
    const wanted = query.value.trim().toLowerCase()
    return items.value
      .filter(({ item }) => item.label.toLowerCase().includes(wanted))
      .slice(0, wanted ? 6 : 9)
      .map(({ item, top }) => ({
        key: item.code,
        group: 'pages',
        icon: iconOf(item.icon ?? top.icon),
        label: item.label,
        note: top === item ? '' : top.label,
        path: pathOf(item)
      }))
  })

  const found = computed<Hit[]>(() => [
    ...rooms.value.slice(0, ROOMS_MAX).map((room): Hit => ({
      key: room.room_id,
      group: 'rooms',
      icon: DoorOpen,
      label: room.room_name,
      note: [room.payer_name, room.phone_masked, room.site_name].filter(Boolean).join(' · '),
      owed: room.open,
      path: `/counter?room=${room.room_id}`
    })),
    ...pages.value
  ])

  async function search(): Promise<void> {
    pending?.abort()
    failure.value = ''
    if (!query.value.trim() || !atCounter.value) {
      rooms.value = []
      return
    }
    pending = new AbortController()
    try {
      const answer = await get<{ items: FoundRoom[] }>(
        '/api/v1/receiving/counter/search',
        { q: query.value.trim(), by: 'all', site_id: everywhere.value ? null : session.scope },
        pending.signal
      )
      rooms.value = answer.items
      at.value = 0
    } catch (error) {
      if (error instanceof DOMException) return
      rooms.value = []
      failure.value = sentence(error)
    }
  }

  watch(query, () => {
    at.value = 0
    clearTimeout(timer)
    timer = window.setTimeout(search, PAUSE_MS)
  })
  watch(everywhere, search)

  return { query, everywhere, failure, at, found, atCounter }
}
