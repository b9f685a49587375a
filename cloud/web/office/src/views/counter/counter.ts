// What happens at the counter: a room, its open bills, one receipt at a time.

import { Attempt } from '@wuye/kit/attempt'
import { call, get, Problem, Unreachable } from '@wuye/kit/api'
import { decimal } from '@wuye/kit/cents'
import { total } from '@wuye/kit/formats'
import { t } from '@wuye/kit/i18n'
import { useSession } from '@wuye/kit/session'
import { changeOf, dueNow, faultOf, linesOf, receiptRequest, type Line } from '@wuye/kit/till'
import type { CounterRoom, Method, ReceiptAnswer, ReceiptRequest, Shift } from '@wuye/kit/types'
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

export const useCounter = defineStore('counter', () => {
  const who = useSession().user?.id ?? ''
  const slots = { recent: `wuye.counter.recent.${who}`, attempt: `wuye.counter.attempt.${who}` }
  const room = shallowRef<CounterRoom | null>(null)
  const lines = ref<Line[]>([])
  const refused = ref<Record<number, string>>({})
  const current = ref(0)
  const method = ref<Method>('cash')
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

  const due = computed(() => dueNow(lines.value))
  const tendered = computed(() => typed.value ?? decimal(due.value))
  const change = computed(() => changeOf(due.value, tendered.value))
  const faulty = computed(() => lines.value.some((line) => faultOf(line)))
  const payable = computed(
    () =>
      due.value > 0 &&
      !faulty.value &&
      !paying.value &&
      (method.value !== 'cash' || (change.value !== null && change.value >= 0))
  )

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

  async function loadShift(): Promise<void> {
    shift.value = await get<Shift>('/api/v1/receiving/shift')
  }

  async function pay(): Promise<void> {
    if (!room.value || (!payable.value && !uncertain.value)) return
    paying.value = true
    try {
      const answer = attempt.open
        ? await attempt.retry()
        : await attempt.send(
            RECEIPTS,
            receiptRequest(room.value.room.id, method.value, lines.value, tendered.value)
          )
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
    const answer = await call<{ phone: string }>(
      'POST',
      `/api/v1/receiving/parties/${partyId}/phone`
    )
    return answer.phone
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
    method,
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
    loadShift,
    pay,
    reverse,
    unmask,
    unfinished
  }
})
