// One filled-in form: its values, its faults, and sending it.

import { Problem } from '@wuye/kit/api'
import type { Form, Row } from '@wuye/kit/page'
import { sentence } from '@wuye/kit/wording'
import { computed, nextTick, reactive, ref } from 'vue'

import { faultsOf, fieldOfPath, initial, payload } from './values'

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

type Send = (values: Record<string, unknown>) => Promise<void>

export function useForm(form: Form, row: Row, send: Send) {
  const values = reactive(initial(form.fields, row))
  const faults = reactive<Record<string, string>>({})
  const failure = ref('')

  const sections = computed(() => {
    const found: { title: string; fields: Form['fields'] }[] = []
    for (const field of form.fields) {
      const title = field.section ?? ''
      if (found.at(-1)?.title !== title) found.push({ title, fields: [] })
      found.at(-1)!.fields.push(field)
    }
    return found
  })
  const count = computed(() => Object.keys(faults).length)
  /** The community that is filled in, or that the row is of: what is looked up is of it too. */
  const site = computed(() => [values.site_id, row.site_id].find(isText) ?? null)

  function check(key: string): void {
    const field = form.fields.find((one) => one.key === key)!
    for (const path of Object.keys(faults)) if (path.split('.')[0] === key) delete faults[path]
    Object.assign(faults, faultsOf(field, values[key] ?? null))
  }

  async function submit(): Promise<void> {
    failure.value = ''
    for (const field of form.fields) check(field.key)
    if (count.value) return toFirst()
    try {
      await send({ ...form.given, ...payload(form.fields, values) })
    } catch (error) {
      await land(error)
    }
  }

  /** The server's faults go to the fields they name; the rest is said in one line. */
  async function land(error: unknown): Promise<void> {
    const landed = error instanceof Problem ? error.errors : []
    for (const fault of landed) {
      const key = fieldOfPath(fault.path, form.fields)
      if (key) faults[key] = fault.message
    }
    if (count.value) await toFirst()
    else failure.value = landed[0]?.message ?? sentence(error)
  }

  async function toFirst(): Promise<void> {
    await nextTick()
    const paths = Object.keys(faults)
    const first = form.fields.find(({ key }) => paths.some((path) => path.split('.')[0] === key))
    const field = document.getElementById(`field-${form.code}-${first?.key}`)
    const element = field?.querySelector<HTMLElement>('[data-path].is-error') ?? field
    element?.scrollIntoView({ block: 'center' })
    element?.querySelector<HTMLElement>('input, textarea, button')?.focus()
  }

  return { row, values, faults, failure, sections, count, site, check, submit, toFirst }
}
