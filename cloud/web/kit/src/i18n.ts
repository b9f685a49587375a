// One i18n instance; the locale of the viewer, before login the one of the browser.

import { createI18n, type I18n } from 'vue-i18n'

import { identify } from './api'
import en from './locales/en.json'
import zh from './locales/zh-CN.json'

export type Locale = 'zh-CN' | 'en'
type Messages = Record<string, unknown>

const STORED = 'wuye.locale'

export const i18n: I18n<{}, {}, {}, string, false> = createI18n({
  legacy: false,
  locale: initial(),
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': zh as never, en: en as never }
})

export const t = i18n.global.t as (key: string, params?: Record<string, unknown>) => string

export function addMessages(messages: Record<Locale, Messages>): void {
  for (const [locale, words] of Object.entries(messages)) {
    i18n.global.mergeLocaleMessage(locale, words)
  }
}

export function locale(): Locale {
  return i18n.global.locale.value as Locale
}

export function speak(value: string): void {
  const next: Locale = value.startsWith('en') ? 'en' : 'zh-CN'
  i18n.global.locale.value = next
  document.documentElement.lang = next
  localStorage.setItem(STORED, next)
  identify({ locale: next })
}

function initial(): Locale {
  const stored = localStorage.getItem(STORED)
  if (stored) return stored === 'en' ? 'en' : 'zh-CN'
  return navigator.language.startsWith('zh') ? 'zh-CN' : 'en'
}
