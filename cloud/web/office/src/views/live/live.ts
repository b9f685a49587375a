// The live picture of one project: a snapshot, then what the server pushes.

import { get } from '@wuye/kit/api'
import { useConnection } from '@wuye/kit/connection'
import type { DeviceEvent, Gateway, LiveAnswer, Tile, TwinsEvent } from '@wuye/kit/types'
import { computed, reactive, ref, shallowRef } from 'vue'

import { whileShown } from '@/parts/shown'
import { useGateway } from '@/shell/gateway'

const TREND_MAX = 40
const TREND_STEP_MS = 30_000
const BROKEN_AFTER_MS = 4_000
/** What goes stale or silent is never pushed: the whole picture is asked for now and then. */
const REFRESH_MS = 30_000

/** Follows the project while the screen is shown; everything stops when it is left. */
export function useLive(siteId: string) {
  const connection = useConnection()
  const gatewayStore = useGateway()
  const answer = shallowRef<LiveAnswer | null>(null)
  const gateway = ref<Gateway | null>(null)
  const events = shallowRef<DeviceEvent[]>([])
  const failure = shallowRef<unknown>(null)
  const pushedAt = ref(0)
  const tiles = new Map<number, Tile>()
  let source: EventSource | null = null
  let broken = 0
  let refreshTimer = 0
  let running = false

  const streaming = computed(() => connection.streaming)

  async function load(): Promise<void> {
    try {
      const next = await get<LiveAnswer>('/api/v1/devices/live', { site_id: siteId })
      const before = new Map(tiles)
      tiles.clear()
      for (const group of next.groups) {
        group.tiles = group.tiles.map((tile) => reactive(newer(tile, before.get(tile.point))))
        for (const tile of group.tiles) tiles.set(tile.point, tile)
      }
      answer.value = next
      hear(next.gateway)
      pushedAt.value ||= Date.now()
      failure.value = null
    } catch (error) {
      if (!answer.value) failure.value = error
    }
  }

  async function loadEvents(): Promise<void> {
    clearTimeout(refreshTimer)
    try {
      const list = await get<{ items: DeviceEvent[] }>('/api/v1/devices/events', {
        site_id: siteId
      })
      events.value = list.items
    } finally {
      if (running) refreshTimer = window.setTimeout(refresh, REFRESH_MS)
    }
  }

  function refresh(): void {
    if (!document.hidden) void load()
    void loadEvents().catch(() => null)
  }

  function hear(next: Gateway): void {
    const changed = gateway.value !== null && gateway.value.state !== next.state
    gateway.value = next
    gatewayStore.tell(siteId, next)
    if (changed) refresh()
  }

  function apply({ at, points }: TwinsEvent): void {
    pushedAt.value = Math.max(pushedAt.value, Date.parse(at))
    for (const [point, value, ms, quality] of points) {
      const tile = tiles.get(point)
      if (!tile) continue
      tile.value = value
      tile.quality = quality
      tile.measured_at = new Date(ms).toISOString()
      if (tile.state !== 'ok') tile.state = 'ok'
      if (value !== null) lengthen(tile, ms, value)
    }
  }

  function connect(): void {
    source?.close()
    source = new EventSource(`/api/v1/devices/live/stream?site_id=${siteId}`)
    source.addEventListener('open', () => {
      clearTimeout(broken)
      broken = 0
      if (!connection.streaming) void load()
      connection.streaming = true
    })
    source.addEventListener('twins', (event) => apply(JSON.parse(event.data) as TwinsEvent))
    source.addEventListener('gateway', (event) => {
      hear({ ...gateway.value, ...(JSON.parse(event.data) as Gateway) })
    })
    source.addEventListener('error', onBroken)
  }

  function onBroken(): void {
    if (!broken) broken = window.setTimeout(() => (connection.streaming = false), BROKEN_AFTER_MS)
    // A refused stream is closed for good by the browser; an interrupted one comes back by itself.
    if (source?.readyState === EventSource.CLOSED)
      window.setTimeout(() => source && connect(), 3_000)
  }

  function start(): void {
    running = true
    void load().then(() => {
      if (running && answer.value) connect()
    })
    void loadEvents().catch(() => null)
  }

  function stop(): void {
    running = false
    clearTimeout(broken)
    clearTimeout(refreshTimer)
    broken = 0
    source?.close()
    source = null
    connection.streaming = true
  }

  whileShown(start, stop)

  return { answer, gateway, events, failure, pushedAt, streaming, load: start }
}

/** The picture is stored now and then; what was pushed since is not taken back. */
function newer(tile: Tile, known: Tile | undefined): Tile {
  const stored = tile.measured_at ? Date.parse(tile.measured_at) : 0
  if (!known?.measured_at || Date.parse(known.measured_at) <= stored) return tile
  const { value, quality, measured_at, state, trend } = known
  return { ...tile, value, quality, measured_at, state, trend }
}

function lengthen(tile: Tile, ms: number, value: number): void {
  const last = tile.trend.at(-1)
  if (last && ms - last[0] < TREND_STEP_MS)
    tile.trend = [...tile.trend.slice(0, -1), [last[0], value]]
  else tile.trend = [...tile.trend, [ms, value] as [number, number]].slice(-TREND_MAX)
}
