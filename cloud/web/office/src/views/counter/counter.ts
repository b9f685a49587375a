// What happens at the counter: a room, its open bills, one receipt at a time.

import { Attempt } from '@wuye/kit/attempt'
import { call, download, get, Problem, Unreachable } from '@wuye/kit/api'
import { cents, decimal } from '@wuye/kit/cents'
import { total } from '@wuye/kit/formats'
import { t } from '@wuye/kit/i18n'
import { useSession } from '@wuye/kit/session'
import {
  cashPart,
  extra,
  methodLines,
  SPLIT,
  splitLeft,
  usablePrepaid,
  type Ahead,
  type DepositLine,
  type Tender
} from '@wuye/kit/tender'
import { allocationsOf, changeOf, dueNow, faultOf, linesOf, type Line } from '@wuye/kit/till'
import type { CounterRoom, Desk, ReceiptAnswer, ReceiptRequest, Shift } from '@wuye/kit/types'
import { sentence } from '@wuye/kit/wording'
import { ElMessage } from 'element-plus'
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'

const RECEIPTS = '/api/v1/receiving/receipts'
const RECENT_MAX = 3

export interface Visited {
  id: string
  code: string
}

function noAhead(): Ahead {
  return { taken: false, typed: '', item: null }
}

function noDeposit(): DepositLine {
  return { taken: false, typed: '', item: null, terms: '' }
}

export const useCounter = defineStore('counter', () => {
  const who = useSession().user?.id ?? ''
  const slots = { recent: `wuye.counter.recent.${who}`, attempt: `wuye.counter.attempt.${who}` }
  const room = shallowRef<CounterRoom | null>(null)
  const lines = ref<Line[]>([])
  const refused = ref<Record<number, string>>({})
  const current = ref(0)
  const desk = shallowRef<Desk>({ methods: [], deposit_items: [], items: [] })
  const method = ref('cash')
  const split = ref<Record<string, string>>({})
  const usesPrepaid = ref(false)
  const ahead = ref<Ahead>(noAhead())
  const deposit = ref<DepositLine>(noDeposit())
  const typed = ref<string | null>(null)
  const shift = shallowRef<Shift | null>(null)
  const visited = ref<Visited[]>(
    JSON.parse(localStorage.getItem(slots.recent) ?? '[]') as Visited[]
  )
  const loading = ref(false)
  const failure = shallowRef<unknown>(null)
  const paying = ref(false)
  const last = shallowRef<ReceiptAnswer | null>(null)
  const attempt = new Attempt<ReceiptAnswer>(slots.attempt)
  const uncertain = ref(attempt.open)

  const bills = computed(() => dueNow(lines.value))
  const extras = computed(() => [extra(ahead.value), extra(deposit.value)])
  const sum = computed(() => bills.value + (extras.value[0] ?? 0) + (extras.value[1] ?? 0))
  const usable = computed(() => usablePrepaid(room.value?.balance.accounts ?? [], lines.value))
  const offset = computed(() => (usesPrepaid.value ? usable.value : 0))
  /** Cents that money has to bring now. */
  const due = computed(() => sum.value - offset.value)
  const kind = computed<Tender['kind']>(() =>
    method.value === SPLIT
      ? SPLIT
      : (desk.value.methods.find((one) => one.code === method.value)?.kind ?? 'cash')
  )
  const tender = computed(() => ({
    method: method.value,
    kind: kind.value,
    split: Object.fromEntries(
      Object.entries(split.value).map(([code, text]) => [code, text.trim() ? cents(text) : 0])
    ) as Record<string, number>,
    offset: offset.value
  }))
  const splitFaulty = computed(() =>
    Object.values(tender.value.split).some((value) => value === null || value < 0)
  )
  const left = computed(() => (splitFaulty.value ? null : splitLeft(due.value, tender.value.split)))
  const cash = computed(() =>
    cashPart(
      due.value,
      tender.value,
      new Set(desk.value.methods.filter((one) => one.kind === 'cash').map((one) => one.code))
    )
  )
  const tendered = computed(() => typed.value ?? decimal(cash.value))
  const change = computed(() => changeOf(cash.value, tendered.value))
  const faulty = computed(
    () => lines.value.some((line) => faultOf(line)) || extras.value.includes(null) || noItem.value
  )
  const noItem = computed(() => deposit.value.taken && !deposit.value.item)
  const payable = computed(
    () =>
      sum.value > 0 &&
      !faulty.value &&
      !paying.value &&
      (kind.value !== SPLIT || left.value === 0) &&
      (cash.value === 0 || (change.value !== null && change.value >= 0))
  )

  function request(): ReceiptRequest {
    const methods = methodLines(due.value, tender.value)
    return {
      room_id: room.value!.room.id,
      method: methods.length ? null : method.value,
      lines: methods,
      allocations: allocationsOf(lines.value),
      keep_rest: false,
      prepay: ahead.value.taken
        ? { amount: decimal(extras.value[0] ?? 0), item_id: ahead.value.item || null }
        : null,
      deposits: deposit.value.taken
        ? [
            {
              item_id: deposit.value.item ?? '',
              amount: decimal(extras.value[1] ?? 0),
              release_on: null,
              terms: deposit.value.terms.trim()
            }
          ]
        : [],
      tendered: cash.value > 0 ? decimal(cents(tendered.value) ?? 0) : null
    }
  }

  async function open(id: string): Promise<void> {
    loading.value = true
    failure.value = null
    try {
      show(await get<CounterRoom>(`/api/v1/receiving/counter/rooms/${id}`))
      last.value = null
    } catch (error) {
      failure.value = error
    } finally {
      loading.value = false
    }
  }

  function show(next: CounterRoom): void {
    room.value = next
    lines.value = linesOf(next.bills)
    refused.value = {}
    current.value = 0
    typed.value = null
    split.value = {}
    usesPrepaid.value = false
    ahead.value = noAhead()
    deposit.value = noDeposit()
    const visit = { id: next.room.id, code: next.room.code }
    visited.value = [visit, ...visited.value.filter((one) => one.id !== visit.id)].slice(
      0,
      RECENT_MAX + 1
    )
    localStorage.setItem(slots.recent, JSON.stringify(visited.value))
  }

  async function reload(): Promise<void> {
    if (!room.value) return
    show(await get<CounterRoom>(`/api/v1/receiving/counter/rooms/${room.value.room.id}`))
  }

  async function loadDesk(): Promise<void> {
    desk.value = await get<Desk>('/api/v1/receiving/counter/desk')
    const known = desk.value.methods.some((one) => one.code === method.value)
    if (!known && method.value !== SPLIT) method.value = desk.value.methods[0]?.code ?? 'cash'
  }

  /** Prints the last receipt; every copy after the first says so. */
  async function reprint(): Promise<void> {
    const receipt = last.value ?? room.value?.recent[0]
    if (!receipt) return
    try {
      await download(`${RECEIPTS}/${receipt.id}/print`, {}, `${receipt.number}.pdf`)
    } catch (error) {
      ElMessage.error(sentence(error))
    }
  }

  async function loadShift(): Promise<void> {
    shift.value = await get<Shift>('/api/v1/receiving/shift')
  }

  async function pay(): Promise<void> {
    if (!room.value || (!payable.value && !uncertain.value)) return
    paying.value = true
    try {
      const answer = attempt.open
        ? await attempt.retry()
        : await attempt.send(RECEIPTS, request())
      last.value = answer
      ElMessage.success(
        t('counter.received', { amount: total(answer.amount), number: answer.number })
      )
      await refresh()
    } catch (error) {
      await refuse(error)
    } finally {
      uncertain.value = attempt.open
      paying.value = false
    }
  }

  async function refuse(error: unknown): Promise<void> {
    if (attempt.open || error instanceof Unreachable) return
    ElMessage.error({ message: sentence(error), duration: 5000 })
    if (!(error instanceof Problem)) return
    if (error.status === 409) await reload()
    refused.value = Object.fromEntries(
      error.errors.flatMap(({ path, message }) => {
        const index = /^allocations\.(\d+)/.exec(path)?.[1]
        return index === undefined ? [] : [[lineIndex(Number(index)), message]]
      })
    )
  }

  /** Which line the n-th allocation of the request came from. */
  function lineIndex(allocation: number): number {
    return lines.value.flatMap((line, index) => (line.taken ? [index] : []))[allocation] ?? 0
  }

  async function reverse(receiptId: string, reason: string): Promise<void> {
    const reversal = new Attempt<{ number: string }>(`wuye.reverse.${receiptId}`)
    const path = `${RECEIPTS}/${receiptId}/reverse`
    const answer = reversal.open ? await reversal.retry() : await reversal.send(path, { reason })
    ElMessage.success(t('counter.reversed', { number: answer.number }))
    if (last.value?.id === receiptId) last.value = null
    await refresh()
  }

  async function refresh(): Promise<void> {
    await Promise.all([reload(), loadShift()]).catch((error: unknown) => {
      ElMessage.warning(sentence(error))
    })
  }

  async function unmask(partyId: string): Promise<string> {
    const path = `/api/v1/customers/parties/${partyId}/phone`
    return (await call<{ number: string }>('POST', path)).number
  }

  /** The room of an attempt whose outcome is unknown, to come back to after a reload. */
  function unfinished(): string | null {
    return (attempt.body as ReceiptRequest | null)?.room_id ?? null
  }

  return {
    room,
    lines,
    refused,
    current,
    desk,
    method,
    kind,
    split,
    left,
    usesPrepaid,
    usable,
    offset,
    ahead,
    deposit,
    bills,
    sum,
    cash,
    typed,
    shift,
    visited,
    loading,
    failure,
    paying,
    last,
    uncertain,
    due,
    tendered,
    change,
    faulty,
    payable,
    open,
    loadDesk,
    loadShift,
    reprint,
    pay,
    reverse,
    unmask,
    unfinished
  }
})
