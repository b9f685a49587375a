// Runs while a screen is in view, whether it is mounted into a kept screen or comes back with it.

import { onActivated, onBeforeUnmount, onDeactivated, onMounted } from 'vue'

export function whileShown(start: (again: boolean) => void, stop: () => void = () => {}): void {
  let shown = false
  let before = false
  const enter = (): void => {
    if (shown) return
    shown = true
    start(before)
    before = true
  }
  const leave = (): void => {
    if (!shown) return
    shown = false
    stop()
  }
  onMounted(enter)
  onActivated(enter)
  onDeactivated(leave)
  onBeforeUnmount(leave)
}
