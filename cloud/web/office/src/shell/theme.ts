// Light or dark; theme.js has applied the stored choice before the first paint.

import { ref } from 'vue'

const KEY = 'wuye.theme'

export const dark = ref(document.documentElement.classList.contains('dark'))

export function toggleTheme(): void {
  dark.value = !dark.value
  document.documentElement.classList.toggle('dark', dark.value)
  localStorage.setItem(KEY, dark.value ? 'dark' : 'light')
}
