import { useSession } from '@wuye/kit/session'
import type { MenuItem } from '@wuye/kit/page'
import { createRouter, createWebHistory } from 'vue-router'

export const router = createRouter({
  history: createWebHistory('/'),
  routes: [
    { path: '/login', component: () => import('./login/LoginView.vue'), meta: { open: true } },
    {
      path: '/',
      component: () => import('./shell/ShellView.vue'),
      children: [
        { path: '', component: () => import('./shell/HomeView.vue') },
        {
          path: 'counter',
          meta: { view: true },
          component: () => import('./views/counter/CounterView.vue')
        },
        {
          path: 'live',
          meta: { view: true },
          component: () => import('./views/live/LiveView.vue')
        },
        {
          path: 'grid',
          meta: { view: true },
          component: () => import('./views/grid/GridView.vue')
        },
        { path: 'rooms/:id', component: () => import('./views/room/RoomView.vue') },
        {
          path: 'hq',
          meta: { view: true },
          component: () => import('./views/hq/DashboardView.vue'),
          props: { code: 'finance' }
        },
        {
          path: 'hq/energy',
          meta: { view: true },
          component: () => import('./views/hq/DashboardView.vue'),
          props: { code: 'energy' }
        },
        {
          path: 'roles',
          meta: { view: true },
          component: () => import('./views/roles/RolesView.vue')
        },
        { path: 'p/:code', component: () => import('./pages/PageView.vue') },
        { path: ':rest(.*)*', component: () => import('./shell/LostView.vue') }
      ]
    }
  ]
})

router.beforeEach(async (to) => {
  const session = useSession()
  const known = await session.restore().catch(() => session.boot !== null)
  if (to.meta.open) return known ? nextOf(to.query.next) : true
  if (!known) return { path: '/login', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
  const { unit, ...query } = to.query
  if (typeof unit === 'string' && session.unitById.has(unit)) {
    // A figure of a dashboard leads here with the unit that it is of.
    session.choose(unit)
    return { path: to.path, query, replace: true }
  }
  if (to.path !== '/') return true
  const first = firstOf(session.menu)
  return first ? { path: pathOf(first), replace: true } : true
})

/** Where a menu item leads. */
export function pathOf(item: MenuItem): string {
  return item.view ?? `/p/${item.page}`
}

export function leaves(items: MenuItem[]): MenuItem[] {
  return items.flatMap((item) => (item.children.length ? leaves(item.children) : [item]))
}

function firstOf(menu: MenuItem[]): MenuItem | undefined {
  const all = leaves(menu)
  return all.find((item) => item.favorite) ?? all[0]
}

/** Only a path of this site may follow a login. */
export function nextOf(next: unknown): string {
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) ? next : '/'
}
