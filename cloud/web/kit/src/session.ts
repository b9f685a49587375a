// Who is logged in, what they may do, and which part of the company they look at.

import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'

import { call, get, identify, Problem } from './api'
import { speak, type Locale } from './i18n'
import type { MenuItem } from './page'
import type { Boot, PublicFacts, Unit } from './types'

const SITE = 'wuye.site'

export const useSession = defineStore('session', () => {
  const boot = shallowRef<Boot | null>(null)
  const asked = ref(false)
  /** Somebody else has logged in since the page was loaded: what it keeps is not theirs to see. */
  const handedOver = ref(false)
  let before = ''
  const siteId = ref(localStorage.getItem(SITE) ?? '')

  const user = computed(() => boot.value?.user ?? null)
  const units = computed(() => boot.value?.units ?? [])
  const unitById = computed(() => new Map(units.value.map((unit) => [unit.id, unit])))
  const unit = computed<Unit | null>(() => unitById.value.get(siteId.value) ?? home.value)
  const home = computed<Unit | null>(() => {
    const projects = units.value.filter((one) => one.kind === 'project')
    return (projects.length === 1 ? projects[0] : rootOf(units.value)) ?? null
  })
  const zone = computed(() => boot.value?.time_zone ?? 'Asia/Shanghai')
  const scope = computed(() => unit.value?.id ?? '')
  const menu = computed<MenuItem[]>(() => boot.value?.menu ?? [])

  function accept(next: Boot): void {
    boot.value = next
    identify({ csrf: next.csrf })
    speak(next.user.locale)
  }

  /** The session of the cookie, asked for once per page load. */
  async function restore(): Promise<boolean> {
    if (asked.value) return boot.value !== null
    // Asked openly first: a refusal would stand in the browser's console as an error.
    const about = await get<PublicFacts>('/api/v1/session/public')
    try {
      if (about.logged_in) accept(await get<Boot>('/api/v1/session'))
    } catch (error) {
      if (!(error instanceof Problem && error.status === 401)) throw error
    }
    asked.value = true
    return boot.value !== null
  }

  async function login(login: string, password: string): Promise<void> {
    accept(await call<Boot>('POST', '/api/v1/session', { body: { login, password } }))
    asked.value = true
    handedOver.value = before !== '' && before !== boot.value?.user.id
    before = boot.value?.user.id ?? ''
  }

  async function logout(): Promise<void> {
    await call('DELETE', '/api/v1/session')
    forget()
  }

  function forget(): void {
    before = boot.value?.user.id ?? before
    boot.value = null
    identify({ csrf: '' })
  }

  async function setLocale(locale: Locale): Promise<void> {
    speak(locale)
    if (boot.value) accept(await call<Boot>('PUT', '/api/v1/session/locale', { body: { locale } }))
  }

  async function changePassword(present: string, password: string): Promise<void> {
    accept(await call<Boot>('PUT', '/api/v1/session/password', { body: { present, password } }))
  }

  /** Units, permissions and menu as they are now: somebody may have changed them. */
  async function refresh(): Promise<void> {
    if (boot.value) boot.value = await get<Boot>('/api/v1/session')
  }

  function choose(id: string): void {
    siteId.value = id
    localStorage.setItem(SITE, id)
  }

  const may = (permission: string): boolean => boot.value?.permissions.includes(permission) ?? false

  return {
    boot,
    user,
    units,
    unitById,
    unit,
    zone,
    scope,
    menu,
    handedOver,
    restore,
    login,
    logout,
    forget,
    setLocale,
    changePassword,
    refresh,
    choose,
    may
  }
})

function rootOf(units: Unit[]): Unit | undefined {
  const ids = new Set(units.map((unit) => unit.id))
  return units.find((unit) => !unit.parent_id || !ids.has(unit.parent_id))
}
