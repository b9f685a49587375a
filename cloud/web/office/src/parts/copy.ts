// The clipboard, also where a plain-http page has no navigator.clipboard.

import { t } from '@wuye/kit/i18n'
import { ElMessage } from 'element-plus'

export async function copy(text: string): Promise<void> {
  if (navigator.clipboard) await navigator.clipboard.writeText(text)
  else copyBySelection(text)
  ElMessage.success(t('copied'))
}

function copyBySelection(text: string): void {
  const area = Object.assign(document.createElement('textarea'), { value: text })
  area.style.position = 'fixed'
  document.body.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}
