// Answers of the hand-written screens; contract.ts holds them to the OpenAPI document.

import type { MenuItem, Tone } from './page'

export interface Unit {
  id: string
  parent_id: string | null
  kind: 'company' | 'region' | 'project'
  state: 'preparing' | 'active' | 'closed'
  name: string
  code: string
  city: string | null
}

export interface PublicFacts {
  demo: boolean
  version: string
  logged_in: boolean
}

export interface ImportReport {
  mode: 'check' | 'all' | 'valid'
  rows: number
  blank: number
  valid: number
  added: number
  faulty: number
  faults: { row: number; field: string; value: string; code: string; reason: string }[]
}

export interface ExportJob {
  id: string
  page: string
  title: string
  state: 'waiting' | 'running' | 'done' | 'failed' | 'expired'
  total: number
  written: number
  file_bytes: number | null
  created_at: string
  finished_at: string | null
  failure: string
}

export interface Boot {
  csrf: string
  user: {
    id: string
    name: string
    post: string
    login: string
    locale: string
    password_due: boolean
  }
  permissions: string[]
  units: Unit[]
  menu: MenuItem[]
  time_zone: string
}

export interface Span {
  from: string
  to: string
}

export interface FoundRoom {
  room_id: string
  room_name: string
  room_code: string
  site_id: string
  site_name: string
  payer_name: string | null
  phone_masked: string | null
  /** Of the vehicle it was found by; else empty. */
  plate: string
  open: string
  bills: number
}

export interface CounterBill {
  id: string
  item_id: string
  number: string
  item_name: string
  note: string | null
  period: Span
  amount: string
  paid: string
  open: string
  due_on: string
  overdue_days: number
  version: number
}

export interface RecentReceipt {
  id: string
  number: string
  received_at: string
  method: string
  method_label: string
  amount: string
  reversed: boolean
}

export interface Party {
  id: string
  name: string
  role: string
  phone_masked: string | null
}

export interface CounterRoom {
  room: {
    id: string
    name: string
    code: string
    site_id: string
    site_name: string
    area: string | null
    usage: string
    state: { value: string; label: string; tone: Tone }
  }
  parties: Party[]
  bills: CounterBill[]
  open_total: string
  recent: RecentReceipt[]
  balance: {
    prepaid: string | null
    accounts: PrepaidAccount[]
    deposits: { id: string; item_name: string; party_name: string; balance: string }[]
  }
}

export interface Shown {
  value: string
  label: string
  tone: Tone
}

export interface GridBuilding {
  id: string
  code: string
  name: string
  rooms: number
  in_arrears: number
  overdue: string
  arrears_rate: string | null
}

export interface GridCell {
  id: string
  code: string
  name: string
  full_name: string
  unit: string
  floor: number | null
  area: string | null
  usage: string
  state: Shown
  look: string
  open: string
  overdue: string
  months: number
  payer_name: string
  phone_masked: string
}

export interface BuildingGrid {
  id: string
  code: string
  name: string
  open: string
  cells: GridCell[]
}

export interface RoomMeter {
  id: string
  no: string
  kind: Shown
  unit: string
  state: Shown
  last_value: string | null
  last_on: string | null
  months: { month: string; usage: string | null }[]
}

export interface RoomProfile {
  room: {
    id: string
    name: string
    code: string
    site_id: string
    site_name: string
    building_id: string
    floor: number | null
    usage: string
    state: Shown
    building_area: string | null
    inner_area: string | null
    chargeable_area: string | null
    payer_name: string
  }
  people: {
    id: string
    party_id: string
    name: string
    phone_masked: string
    role: string
    relation: string
    share: string | null
    valid_from: string
    last_on: string | null
    is_payer: boolean
    state: string
  }[]
  open_total: string
  overdue: string
  bills: {
    id: string
    number: string
    item_name: string
    period: Span
    amount: string
    open: string
    due_on: string
    overdue_days: number
    state: Shown
  }[]
  receipts: {
    id: string
    number: string
    received_at: string
    method_name: string
    amount: string
    state: Shown
  }[]
  prepaid: PrepaidAccount[]
  deposits: { id: string; item_name: string; party_name: string; balance: string }[]
  meters: RoomMeter[]
  bindings: {
    id: string
    item_name: string
    standard_name: string
    meter_no: string
    starts_on: string
    last_on: string | null
    state: Shown
  }[]
  vehicles: {
    id: string
    plate: string
    plate_type: Shown
    party_name: string
    brand: string
    color: string
  }[]
  events: { kind: Shown; happened_on: string; note: string; who: string }[]
}

export interface PrepaidAccount {
  id: string
  item_id: string | null
  item_name: string
  party_name: string
  balance: string
}

export interface Shift {
  id: string | null
  opened_at: string | null
  count: number
  received: string
  cash: string
  returned: string
  methods: { code: string; name: string; amount: string; count: number }[]
}

export type MethodKind = 'cash' | 'card' | 'channel' | 'transfer' | 'other' | 'prepaid' | 'deposit'

/** What a cashier may choose from, whatever the room. */
export interface Desk {
  methods: { code: string; name: string; kind: MethodKind }[]
  deposit_items: { id: string; name: string; usual_amount: string | null }[]
  items: { value: string; label: string }[]
}

export interface ReceiptRequest {
  room_id: string
  method: string | null
  lines: { method: string; amount: string }[]
  allocations: { bill_id: string; amount: string; version: number }[]
  keep_rest: boolean
  prepay: { amount: string; item_id: string | null } | null
  deposits: { item_id: string; amount: string; release_on: string | null; terms: string }[]
  tendered: string | null
}

export interface ReceiptAnswer {
  id: string
  number: string
  amount: string
  change: string
  received_at: string
}

export type TileState = 'ok' | 'stale' | 'offline' | 'never'

export interface Tile {
  device_id: string
  name: string
  place: string | null
  point: number
  value: number | null
  unit: string | null
  digits: number
  measured_at: string | null
  quality: number
  state: TileState
  second: string | null
  trend: [number, number][]
}

export interface TileGroup {
  code: string
  label: string
  icon: string | null
  count: number
  tiles: Tile[]
}

export interface Gateway {
  state: 'online' | 'offline' | 'never'
  since: string | null
  backlog: number
  code?: string
}

export interface GatewayRow {
  id: string
  code: string
  site_id: string
  site_name: string
  state: Gateway['state']
  since: string | null
  seen_at: string | null
  backlog: number
}

export interface LiveAnswer {
  site: { id: string; name: string }
  gateway: Gateway
  kpi: { online: number; total: number; stale: number; delay_s: number | null; backlog: number }
  groups: TileGroup[]
}

export interface TwinsEvent {
  at: string
  points: [point: number, value: number | null, ms: number, quality: number][]
}

export interface DeviceEvent {
  at: string
  title: string
  text: string | null
  tone: Tone
}

export interface PointHistory {
  points: [number, number][]
  unit: string | null
  name: string
}

export interface ReadNow {
  command_id: string
  outcome: 'done' | 'failed' | 'expired' | 'unknown' | 'rejected'
  value: number | null
  measured_at: string | null
  detail: string | null
}

export interface Health {
  status: 'ready' | 'starting' | 'degraded'
  parts: Record<string, { status: string; detail?: string | null }>
}

export interface RoleRow {
  id: string
  code: string
  name: string
  note: string
  permissions: number
  people: number
  state: string
  version: number
}

export interface RoleFacts {
  id: string
  code: string
  name: string
  note: string
  state: string
  version: number
  people: number
  permissions: string[]
  members: { id: string; login: string; name: string; unit_name: string; state: string }[]
}

export interface PermissionModule {
  code: string
  label: string
  subjects: {
    code: string
    label: string
    permissions: { code: string; label: string; held: boolean }[]
  }[]
}

export interface Layout {
  order: string[]
  hidden: string[]
  height: string
}

export interface SavedView {
  id: string
  name: string
  filters: Record<string, string>
  sort: string
  layout: Layout
}

export interface Preferences {
  layout: Layout | null
  views: SavedView[]
}

export interface SearchHit {
  key: string
  title: string
  note: string
  path: string
  tag?: { label: string; tone: Tone } | null
}

export interface SearchAnswer {
  groups: { code: string; label: string; icon: string; hits: SearchHit[] }[]
  hint: string | null
}
