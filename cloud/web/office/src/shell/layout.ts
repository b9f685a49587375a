// What the shell shares with its parts: folded menu and which layer is open.

import { ref } from 'vue'

const KEY = 'wuye.rail'
const NARROW = 1400

const stored = localStorage.getItem(KEY)

export const rail = ref(stored ? stored === '1' : window.innerWidth < NARROW)
/** Names the screen in the trail where no menu entry does. */
export const screenTitle = ref('')
export const searching = ref(false)
export const choosingSite = ref(false)

export function toggleRail(): void {
  rail.value = !rail.value
  localStorage.setItem(KEY, rail.value ? '1' : '0')
}
