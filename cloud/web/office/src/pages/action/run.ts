// Runs an action of the page language: ask, fill in a form, call, say what happened.

import { Attempt } from '@wuye/kit/attempt'
import { call, download, Unreachable } from '@wuye/kit/api'
import type { Action, Row } from '@wuye/kit/page'
import { useSession } from '@wuye/kit/session'
import { sentence } from '@wuye/kit/wording'
import { ElMessage } from 'element-plus'
import { ref, shallowRef } from 'vue'
import { useRouter } from 'vue-router'

import { fill, say } from '../values'

export type Run = ReturnType<typeof useRun>

/** Whether the row is in a state in which the action makes sense. */
export function applies(action: Action, row: Row): boolean {
  return Object.entries(action.when).every(([key, values]) => values.includes(String(row[key])))
}

/** An action without a form that only reads leads somewhere instead of calling. */
export function opensOnly(action: Action): boolean {
  return action.opens !== null && action.form === null && action.method === 'GET'
}

export function useRun() {
  const router = useRouter()
  const session = useSession()
  const action = shallowRef<Action | null>(null)
  const row = shallowRef<Row>({})
  const body = shallowRef<unknown>(undefined)
  const busy = ref(false)
  /** What the answer says once and nobody can ask for again, until it is put away. */
  const secret = shallowRef<{ title: string; value: string } | null>(null)
  const finished = shallowRef<{ answer: Row | null } | null>(null)

  function start(next: Action, on: Row, payload?: unknown): void {
    if (opensOnly(next)) {
      void router.push(fill(next.opens!, on, encodeURIComponent))
      return
    }
    action.value = next
    row.value = on
    body.value = payload
    if (!next.form && !next.confirm) void direct()
  }

  /** Without a form there is nowhere to show a failure but a message. */
  async function direct(): Promise<void> {
    try {
      await send()
    } catch (error) {
      ElMessage.error({ message: sentence(error), duration: 5000 })
      close()
    }
  }

  async function send(values?: Record<string, unknown>): Promise<void> {
    const { value: current } = action
    if (!current) return
    busy.value = true
    try {
      const answer = await transmit(current, values)
      const once = current.shown_once ? answer?.[current.shown_once] : null
      if (once) secret.value = { title: say(current.done, { ...row.value, ...answer }), value: String(once) }
      else if (current.done) ElMessage.success(say(current.done, { ...row.value, ...answer }))
      close()
      finished.value = { answer }
      if (current.opens)
        void router.push(fill(current.opens, { ...row.value, ...answer }, encodeURIComponent))
    } finally {
      busy.value = false
    }
  }

  async function transmit(current: Action, values?: Record<string, unknown>): Promise<Row | null> {
    const path = fill(current.path, { site_id: session.scope, ...row.value }, encodeURIComponent)
    if (current.method === 'GET') {
      await download(path, {}, current.label)
      return null
    }
    const seen = current.method === 'PATCH' ? { version: row.value.version } : undefined
    const given = values || body.value || seen
    const payload = given ? { ...seen, ...(body.value as object), ...values } : undefined
    if (!current.idempotent)
      return (await call<Row>(current.method, path, { body: payload })) ?? null
    return transmitOnce(path, payload)
  }

  function close(): void {
    action.value = null
  }

  return { action, row, busy, secret, finished, start, send, close, direct }
}

/** After a lost answer the same request goes out again under the same key. */
async function transmitOnce(path: string, payload: unknown): Promise<Row | null> {
  const attempt = new Attempt<Row>(`wuye.action.${path}`)
  const same =
    attempt.open && JSON.stringify(attempt.body ?? null) === JSON.stringify(payload ?? null)
  try {
    if (same) return (await attempt.retry()) ?? null
    attempt.abandon()
    return (await attempt.send(path, payload)) ?? null
  } catch (error) {
    if (!(error instanceof Unreachable)) attempt.abandon()
    throw error
  }
}
