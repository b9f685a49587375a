// Fails when a message key is missing in one language, or used in the source and written nowhere.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

type Words = { [key: string]: string | Words }

const ROOT = join(import.meta.dirname, '..')
const WORKSPACES = ['kit', 'office']
const LANGUAGES = ['zh-CN', 'en']

function flatten(words: Words, prefix = ''): string[] {
  return Object.entries(words).flatMap(([key, value]) =>
    typeof value === 'string' ? [`${prefix}${key}`] : flatten(value, `${prefix}${key}.`)
  )
}

function keysOf(workspace: string, language: string): string[] {
  const path = join(ROOT, workspace, 'src/locales', `${language}.json`)
  return flatten(JSON.parse(readFileSync(path, 'utf8')) as Words)
}

function sources(): string[] {
  return WORKSPACES.flatMap((workspace) => {
    const directory = join(ROOT, workspace, 'src')
    return readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(vue|ts)$/.test(name))
      .map((name) => readFileSync(join(directory, name), 'utf8'))
  })
}

const faults: string[] = []
const known = new Map(
  LANGUAGES.map((language) => [
    language,
    new Set(WORKSPACES.flatMap((one) => keysOf(one, language)))
  ])
)
const all = new Set([...known.values()].flatMap((keys) => [...keys]))
const text = sources().join('\n')
const literal = new Set([...text.matchAll(/\bt\(\s*'([\w.-]+)'/g)].map((match) => match[1]!))
const chosen = [...text.matchAll(/'([a-z]+(?:\.[\w-]+)+)'/g)].map((match) => match[1]!)
const prefixes = [...text.matchAll(/`([\w.-]+[._])\$\{/g)].map((match) => match[1]!)

for (const [language, keys] of known) {
  for (const key of all) if (!keys.has(key)) faults.push(`${language}: ${key} is missing`)
}
for (const key of literal) if (!all.has(key)) faults.push(`used but not written: ${key}`)
const used = new Set([...literal, ...chosen])
for (const key of all) {
  if (!used.has(key) && !prefixes.some((prefix) => key.startsWith(prefix)))
    faults.push(`written but not used: ${key}`)
}

if (faults.length) {
  process.stderr.write(`${faults.join('\n')}\n`)
  process.exitCode = 1
} else {
  process.stdout.write(`${all.size} messages in ${LANGUAGES.join(', ')}\n`)
}
