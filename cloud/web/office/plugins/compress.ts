// Writes .br and .gz beside what is worth compressing, so that the server only picks a file.

import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

import type { Plugin } from 'vite'

const WORTH = /\.(js|css|html|svg|json)$/
const LEAST_BYTES = 1024

export function compress(): Plugin {
  let directory = ''
  return {
    name: 'wuye-compress',
    apply: 'build',
    configResolved(config) {
      directory = join(config.root, config.build.outDir)
    },
    async closeBundle() {
      const names = (await readdir(directory, { recursive: true })).filter((name) =>
        WORTH.test(name)
      )
      await Promise.all(names.map((name) => compressFile(join(directory, name))))
    }
  }
}

async function compressFile(path: string): Promise<void> {
  const content = await readFile(path)
  if (content.length < LEAST_BYTES) return
  const brotli = promisify(brotliCompress)(content, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11 }
  })
  const zipped = promisify(gzip)(content, { level: 9 })
  await Promise.all([
    brotli.then((bytes) => writeFile(`${path}.br`, bytes)),
    zipped.then((bytes) => writeFile(`${path}.gz`, bytes))
  ])
}
