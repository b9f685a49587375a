// What submitting would come to, asked while the form is filled in and computed by the server.

import { call } from '@wuye/kit/api'
import type { Form, Row, TrialLine } from '@wuye/kit/page'
import { sentence } from '@wuye/kit/wording'
import { onBeforeUnmount, ref, shallowRef, watch } from 'vue'

import { fill } from '../values'
import { faultsOf, payload, type FormValues } from './values'

const QUIET_MS = 350

/** The values to try out; null while one of those that it needs is missing or malformed. */
function tried(form: Form, values: FormValues): Record<string, unknown> | null {
  const { trial } = form
  if (!trial) return null
  for (const field of form.fields) {
    if (!trial.takes.includes(field.key)) continue
    const required = field.required || trial.needs.includes(field.key)
    const faults = faultsOf({ ...field, required }, values[field.key] ?? null)
    if (Object.keys(faults).length) return null
  }
  const all: Record<string, unknown> = { ...form.given, ...payload(form.fields, values) }
  return Object.fromEntries(trial.takes.map((key) => [key, all[key]]))
}

export function useTrial(form: Form, row: Row, values: FormValues) {
  const lines = shallowRef<TrialLine[]>([])
  const failure = ref('')
  const busy = ref(false)
  let timer = 0
  let asked = ''
  let inFlight: AbortController | undefined

  function change(): void {
    const body = tried(form, values)
    const text = body ? JSON.stringify(body) : ''
    if (text === asked) return // a field that the trial does not take: what is asked stands
    clearTimeout(timer)
    inFlight?.abort()
    asked = text
    busy.value = Boolean(body)
    if (!body) {
      lines.value = []
      failure.value = ''
      return
    }
    timer = window.setTimeout(() => void ask(body), QUIET_MS)
  }

  async function ask(body: Record<string, unknown>): Promise<void> {
    const mine = (inFlight = new AbortController())
    try {
      const path = fill(form.trial!.path, row, encodeURIComponent)
      const answer = await call<{ lines: TrialLine[] }>('POST', path, { body, signal: mine.signal })
      if (mine.signal.aborted) return
      lines.value = answer?.lines ?? []
      failure.value = ''
    } catch (error) {
      if (mine.signal.aborted) return
      lines.value = []
      failure.value = sentence(error)
    }
    busy.value = false
  }

  if (form.trial) watch(values, change, { deep: true, immediate: true })
  onBeforeUnmount(() => {
    clearTimeout(timer)
    inFlight?.abort()
  })

  return { lines, failure, busy }
}
