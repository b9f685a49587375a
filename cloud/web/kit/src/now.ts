// One ticking clock for every "12 seconds ago" on the screen.

import { ref, type Ref } from 'vue'

import { age, clock } from './formats'
import { t } from './i18n'

export const now: Ref<number> = ref(Date.now())

setInterval(() => {
  if (!document.hidden) now.value = Date.now()
}, 1000)

/** "12 seconds ago", or the date once a day has passed. */
export function ago(instant: string | number | null | undefined, zone: string): string {
  if (instant == null) return ''
  const past = age(instant, now.value)
  return past ? t(`age.${past.unit}`, { n: past.n }) : clock(instant, zone).date
}
