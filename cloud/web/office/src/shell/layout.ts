// What the shell shares with its parts: folded menu and which layer is open.

import { ref } from 'vue'

const KEY = 'wuye.rail'
const NARROW = 1400

const stored = localStorage.getItem(KEY)

export const rail = ref(stored ? stored === '1' : window.innerWidth < NARROW)
export const searching = ref(false)
export const choosingSite = ref(false)

export function toggleRail(): void {
  rail.value = !rail.value
  localStorage.setItem(KEY, rail.value ? '1' : '0')
}
