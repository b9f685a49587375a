// An import: the file is checked first, then taken whole or without the rows that were refused.

import { call, fetchFile, save } from '@wuye/kit/api'
import type { Import } from '@wuye/kit/page'
import type { ImportReport } from '@wuye/kit/types'
import { sentence } from '@wuye/kit/wording'
import { ref, shallowRef } from 'vue'

export function useImport(declared: Import) {
  const site = ref('')
  const options = ref<string[]>([])
  const file = shallowRef<File | null>(null)
  const report = shallowRef<ImportReport | null>(null)
  const failure = ref('')
  const busy = ref('')

  const query = (): string => {
    const pairs = [['site_id', site.value], ...options.value.map((key) => ['options', key])]
    return new URLSearchParams(pairs.filter(([, value]) => value) as [string, string][]).toString()
  }

  async function doing<T>(what: string, work: () => Promise<T>): Promise<T | null> {
    busy.value = what
    failure.value = ''
    try {
      return await work()
    } catch (error) {
      failure.value = sentence(error)
      return null
    } finally {
      busy.value = ''
    }
  }

  const post = (mode: 'check' | 'all' | 'valid'): Promise<ImportReport> =>
    call<ImportReport>('POST', `${declared.path}?mode=${mode}&${query()}`, {
      file: file.value ?? undefined,
      timeout: 180_000
    })

  async function check(): Promise<void> {
    report.value = null
    if (!file.value || !site.value) return
    report.value = await doing('check', () => post('check'))
  }

  const take = (mode: 'all' | 'valid'): Promise<ImportReport | null> =>
    doing(mode, () => post(mode))

  const template = (): Promise<void | null> =>
    doing('template', async () =>
      save(await fetchFile(`${declared.path}/template`, {}, `${declared.title}.xlsx`))
    )

  const refused = (): Promise<void | null> =>
    doing('refused', async () =>
      save(
        await fetchFile(`${declared.path}/report?${query()}`, {}, `${declared.title}.xlsx`, {
          method: 'POST',
          file: file.value ?? undefined
        })
      )
    )

  return { site, options, file, report, failure, busy, check, take, template, refused }
}
