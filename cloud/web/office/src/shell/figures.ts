// What the site tree tells of each community: its rooms, and what is overdue, to who may see that.

import { get } from '@wuye/kit/api'
import { useSession } from '@wuye/kit/session'
import { shallowRef, watch } from 'vue'

export function useSiteFigures() {
  const session = useSession()
  const rooms = shallowRef<Record<string, number>>({})
  const overdue = shallowRef<Record<string, string>>({})

  async function load(): Promise<void> {
    const who = session.user?.id
    try {
      const [counted, owed] = await Promise.all([
        session.may('resources.room:read') &&
          get<{ counts: Record<string, number> }>('/api/v1/resources/room-counts'),
        session.may('charging.bill:read') &&
          get<{ amounts: Record<string, string> }>('/api/v1/charging/overdue')
      ])
      if (session.user?.id !== who) return
      rooms.value = counted ? counted.counts : {}
      overdue.value = owed ? owed.amounts : {}
    } catch {
      // The tree does without them; the stale bar tells of a lost connection.
    }
  }

  /** What one person saw is not shown to the next. */
  function forget(): void {
    rooms.value = {}
    overdue.value = {}
  }

  watch(() => session.user?.id, forget)

  return { rooms, overdue, load }
}
