// Where the keys go when what had them is gone.

/** Whether nothing takes the keys: what had the focus was removed, or can no longer be used. */
export function isFocusLost(): boolean {
  const at = document.activeElement
  return !at || at === document.body || at.matches(':disabled')
}

/** What to come back to later. An item of a menu goes with its menu: the button stands for it. */
export function focused(): HTMLElement | null {
  const at = document.activeElement as HTMLElement | null
  const menu = at?.closest('.el-dropdown-menu')?.getAttribute('aria-labelledby')
  return menu ? document.getElementById(menu) : at
}
