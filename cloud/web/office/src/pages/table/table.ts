// The state of one table: filters, view, order, page, rows and what is selected; kept in the URL.

import { get, type Query } from '@wuye/kit/api'
import { useConnection } from '@wuye/kit/connection'
import type { List, Row, Table } from '@wuye/kit/page'
import { useSession } from '@wuye/kit/session'
import type { SavedView } from '@wuye/kit/types'
import { computed, reactive, ref, shallowRef, watch } from 'vue'
import { useRoute, useRouter, type LocationQueryRaw } from 'vue-router'

import { whileShown } from '@/parts/shown'

import { fill } from '../values'

const SIZES = [20, 50, 100, 200]
const QUIET_MS = 200

export type TableState = ReturnType<typeof useTable>

export function useTable(table: Table) {
  const session = useSession()
  const connection = useConnection()
  const route = useRoute()
  const router = useRouter()
  const path = route.path
  // To add up the chosen rows, or to do something with them.
  const selectable =
    table.sums.length > 0 || table.actions.some((one) => one.placement === 'selection')

  const filters = reactive<Record<string, string>>({})
  const view = ref('')
  const own = ref('') // one of this person's saved views, until something else is asked for
  const sort = ref(table.sort)
  const page = ref(1)
  const size = ref(50)
  const opened = ref('')
  const list = shallowRef<List | null>(null)
  const failure = shallowRef<unknown>(null)
  const loading = ref(false)
  const slow = ref(false)
  const cursor = ref(-1)
  const selected = reactive(new Map<string, Row>())
  let pending: AbortController | null = null
  let shownFor = ''

  const rows = computed(() => list.value?.items ?? [])
  const activeView = computed(() => table.views.find((one) => one.code === view.value) ?? null)
  const filtered = computed(() => Object.values(filters).some(Boolean))
  const query = computed<Query>(() => ({
    ...activeView.value?.params,
    ...Object.fromEntries(Object.entries(filters).filter(([, value]) => value)),
    sort: sort.value,
    site_id: session.scope
  }))

  function readUrl(): void {
    const { view: wanted, sort: order, page: number, size: count, id, ...rest } = route.query
    view.value = text(wanted) || (table.views[0]?.code ?? '')
    sort.value = text(order) || table.sort
    page.value = Math.max(1, Number(text(number)) || 1)
    size.value = SIZES.includes(Number(text(count))) ? Number(text(count)) : size.value
    opened.value = text(id)
    for (const key of Object.keys(filters)) delete filters[key]
    for (const [key, value] of Object.entries(rest)) if (text(value)) filters[key] = text(value)
  }

  function writeUrl(): void {
    const next: LocationQueryRaw = { ...filters }
    if (view.value !== (table.views[0]?.code ?? '')) next.view = view.value
    if (sort.value !== table.sort) next.sort = sort.value
    if (page.value > 1) next.page = String(page.value)
    if (size.value !== 50) next.size = String(size.value)
    if (opened.value) next.id = opened.value
    for (const key of Object.keys(next)) if (!next[key]) delete next[key]
    if (route.path === path) void router.replace({ path, query: next })
  }

  async function load(): Promise<void> {
    pending?.abort()
    const mine = (pending = new AbortController())
    const asked = { ...query.value, page: page.value, size: size.value }
    loading.value = true
    const timer = window.setTimeout(() => (slow.value = true), QUIET_MS)
    try {
      const answer = await get<List>(table.source, asked, mine.signal)
      list.value = answer
      shownFor = JSON.stringify(asked)
      failure.value = null
      cursor.value = Math.min(cursor.value, answer.items.length - 1)
    } catch (error) {
      if (mine.signal.aborted) return
      // Old rows stay only under the question that they answered.
      if (!connection.lost || shownFor !== JSON.stringify(asked)) failure.value = error
    } finally {
      clearTimeout(timer)
      if (pending === mine) {
        loading.value = false
        slow.value = false
      }
    }
  }

  /** Any change of what is asked for starts at the first page. */
  async function ask(change: () => void): Promise<void> {
    own.value = ''
    change()
    page.value = 1
    cursor.value = -1
    selected.clear()
    writeUrl()
    await load()
  }

  const setFilter = (key: string, value: string) => ask(() => (filters[key] = value))
  const setFilters = (values: Record<string, string>) => ask(() => Object.assign(filters, values))
  const setView = (code: string) => ask(() => (view.value = code))
  const setSort = (order: string) => ask(() => (sort.value = order))
  const setSize = (count: number) => ask(() => (size.value = count))
  const clear = () =>
    ask(() => {
      for (const key of Object.keys(filters)) delete filters[key]
      view.value = table.views[0]?.code ?? ''
    })

  /** What a saved view keeps: the filters, and the declared view they narrow. */
  const asked = (): Record<string, string> => ({
    ...Object.fromEntries(Object.entries(filters).filter(([, value]) => value)),
    ...(view.value ? { view: view.value } : {})
  })
  const setOwn = (saved: SavedView) =>
    ask(() => {
      for (const key of Object.keys(filters)) delete filters[key]
      const { view: code, ...rest } = saved.filters
      Object.assign(filters, rest)
      view.value = code ?? table.views[0]?.code ?? ''
      sort.value = saved.sort || table.sort
      own.value = saved.id
    })

  async function turn(to: number): Promise<void> {
    page.value = to
    cursor.value = -1
    writeUrl()
    await load()
  }

  function open(id: string): void {
    opened.value = id
    writeUrl()
    const index = rows.value.findIndex((row) => row.id === id)
    if (index >= 0) cursor.value = index
  }

  /** What a row's number leads to: its drawer, or a screen of its own. */
  function show(row: Row): void {
    if (table.opens) void router.push(fill(table.opens, row, encodeURIComponent))
    else open(String(row.id))
  }

  function toggle(row: Row): void {
    if (!selectable) return
    const id = String(row.id)
    if (!selected.delete(id)) selected.set(id, row)
  }

  watch(
    () => connection.lost,
    (lost) => !lost && route.path === path && void load()
  )
  watch(
    () => route.query.id,
    (id) => route.path === path && (opened.value = text(id))
  )

  readUrl()
  whileShown((again) => {
    if (again && Object.keys(route.query).length) readUrl()
    void load()
  })

  return {
    table,
    selectable,
    filters,
    view,
    own,
    asked,
    setOwn,
    activeView,
    sort,
    page,
    size,
    opened,
    list,
    rows,
    failure,
    loading,
    slow,
    cursor,
    selected,
    filtered,
    query,
    load,
    setFilter,
    setFilters,
    setView,
    setSort,
    setSize,
    clear,
    turn,
    open,
    show,
    toggle
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
