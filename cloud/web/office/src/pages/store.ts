// Page declarations, fetched once for each code and language.

import { get } from '@wuye/kit/api'
import { locale } from '@wuye/kit/i18n'
import type { Page } from '@wuye/kit/page'

const pages = new Map<string, Promise<Page>>()

export function pageOf<T extends Page>(code: string): Promise<T> {
  const key = `${locale()}:${code}`
  let page = pages.get(key)
  if (!page) {
    page = get<Page>(`/api/v1/ui/pages/${encodeURIComponent(code)}`)
    page.catch(() => pages.delete(key))
    pages.set(key, page)
  }
  return page as Promise<T>
}
