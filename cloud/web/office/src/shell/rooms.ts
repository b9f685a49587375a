// How many rooms each project has, for whoever may see rooms.

import { get } from '@wuye/kit/api'
import { useSession } from '@wuye/kit/session'
import { shallowRef, watch, type ShallowRef } from 'vue'

const MAY_READ = 'resources.room:read'

type Counts = Record<string, number>

export function useRoomCounts(): ShallowRef<Counts> {
  const session = useSession()
  const counts = shallowRef<Counts>({})

  async function load(): Promise<void> {
    counts.value = {}
    if (!session.boot || !session.may(MAY_READ)) return
    try {
      const answer = await get<{ counts: Counts }>('/api/v1/resources/room-counts')
      counts.value = answer.counts
    } catch {
      // The tree does without them; the stale bar tells of a lost connection.
    }
  }

  watch(() => session.user?.id, load, { immediate: true })

  return counts
}
