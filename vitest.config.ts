// SPDX-License-Identifier: Apache-2.0
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// Every engine of a test loads its modules into several threads: compiled once, that costs half the processor time.
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'affidavit-compile-cache')

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'src/**/*.test.tsx', 'scripts/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: { provider: 'v8', include: ['src/engine/**', 'src/shared/**'], reporter: ['text'] }
  }
})
