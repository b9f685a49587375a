import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { include: ['kit/tests/**/*.test.ts'] } })
