// SPDX-License-Identifier: Apache-2.0
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { testBuild } from './scripts/test-build.ts'

// Every engine of a test loads its modules into several threads: compiled once, that costs half the processor time.
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'affidavit-compile-cache')
// Where tests find the programs that they start.
process.env.AFFIDAVIT_TEST_BUILD = testBuild

/**
 * Threads of an engine under test are those of the build, as in the product; the engine itself and everything else is in the sources. What a
 * transform gives is kept from one run to the next, so the folder is named by the environment.
 */
const builtThreads = {
  name: 'affidavit:built-threads',
  transform: (code: string, id: string) =>
    id.endsWith('/src/engine/threads/thread-config.ts')
      ? code.replaceAll(
          'import.meta.url',
          "process.getBuiltinModule('node:url').pathToFileURL(process.env.AFFIDAVIT_TEST_BUILD + '/engine.js').href"
        )
      : undefined
}

export default defineConfig({
  plugins: [builtThreads],
  test: {
    include: ['src/**/*.test.ts', 'src/**/*.test.tsx', 'scripts/**/*.test.ts'],
    globalSetup: ['scripts/test-build.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: { provider: 'v8', include: ['src/engine/**', 'src/shared/**'], reporter: ['text'] }
  }
})
