import 'element-plus/theme-chalk/base.css'
import 'element-plus/theme-chalk/dark/css-vars.css'
import 'element-plus/theme-chalk/el-message.css'
import './styles/tokens.css'
import './styles/base.css'
import './styles/element.css'

import { addMessages, i18n, locale, speak } from '@wuye/kit/i18n'
import { listen } from '@wuye/kit/api'
import { useConnection } from '@wuye/kit/connection'
import { useSession } from '@wuye/kit/session'
import { createPinia } from 'pinia'
import { createApp } from 'vue'

import App from './App.vue'
import en from './locales/en.json'
import zh from './locales/zh-CN.json'
import { router } from './router'

addMessages({ 'zh-CN': zh, en })
speak(locale())

const app = createApp(App).use(createPinia()).use(i18n)
const session = useSession()
useConnection().watch()
listen({
  signedOut: () => {
    if (!session.boot) return
    session.forget()
    void router.push({ path: '/login', query: { next: router.currentRoute.value.fullPath } })
  }
})
app.use(router).mount('#app')
