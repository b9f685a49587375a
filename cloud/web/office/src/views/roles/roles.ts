// The permissions of one role as a draft: what is checked, what that changes, and saving it.

import { call, get } from '@wuye/kit/api'
import { useSession } from '@wuye/kit/session'
import type { PermissionModule, RoleFacts, RoleRow } from '@wuye/kit/types'
import { computed, reactive, ref, shallowRef } from 'vue'

const MOST = 200
const MAY_WRITE = 'accounts.role:write'

export function useRoles() {
  const session = useSession()
  const list = shallowRef<RoleRow[] | null>(null)
  const modules = shallowRef<PermissionModule[]>([])
  const role = shallowRef<RoleFacts | null>(null)
  const checked = reactive(new Set<string>())
  const failure = shallowRef<unknown>(null)
  const busy = ref(false)

  const names = computed(() => {
    const found = new Map<string, string>()
    for (const module of modules.value)
      for (const subject of module.subjects)
        for (const one of subject.permissions)
          found.set(one.code, `${subject.label} · ${one.label}`)
    return found
  })
  const before = computed(() => new Set(role.value?.permissions ?? []))
  const added = computed(() => [...checked].filter((code) => !before.value.has(code)))
  const removed = computed(() => [...before.value].filter((code) => !checked.has(code)))
  const changes = computed(() => added.value.length + removed.value.length)
  const writable = computed(() => session.may(MAY_WRITE) && role.value?.state === 'active')

  async function load(wanted: string): Promise<void> {
    failure.value = null
    try {
      const [rows, catalog] = await Promise.all([
        get<{ items: RoleRow[] }>('/api/v1/accounts/roles', { size: MOST, sort: 'code' }),
        get<{ modules: PermissionModule[] }>('/api/v1/accounts/permissions')
      ])
      modules.value = catalog.modules
      list.value = rows.items
      const first = rows.items.find((one) => one.id === wanted) ?? rows.items[0]
      if (first) await open(first.id)
    } catch (error) {
      failure.value = error
    }
  }

  async function open(id: string): Promise<void> {
    role.value = await get<RoleFacts>(`/api/v1/accounts/roles/${id}`)
    undo()
  }

  function undo(): void {
    checked.clear()
    for (const code of role.value?.permissions ?? []) checked.add(code)
  }

  function set(codes: string[], on: boolean): void {
    for (const code of codes) {
      if (on) checked.add(code)
      else checked.delete(code)
    }
  }

  async function save(): Promise<void> {
    if (!role.value) return
    busy.value = true
    try {
      const { id, version } = role.value
      await call('PUT', `/api/v1/accounts/roles/${id}/permissions`, {
        body: { version, permissions: [...checked].sort() }
      })
      await open(id)
      list.value = (list.value ?? []).map((one) =>
        one.id === id ? { ...one, permissions: checked.size } : one
      )
    } finally {
      busy.value = false
    }
  }

  return {
    list,
    modules,
    role,
    checked,
    failure,
    busy,
    names,
    added,
    removed,
    changes,
    writable,
    load,
    open,
    undo,
    set,
    save
  }
}

export type Roles = ReturnType<typeof useRoles>
