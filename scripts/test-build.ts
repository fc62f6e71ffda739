// SPDX-License-Identifier: Apache-2.0
// What unit tests start beside themselves, bundled once a run: each thread and each program would load some five hundred modules again.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'
import { root } from './project.ts'

const programs = { engine: 'src/engine/index.ts', 'engine-entry': 'src/engine/test/engine-entry.ts', cli: 'src/cli/index.ts' }

const threads = (): Record<string, string> =>
  Object.fromEntries(
    ['src/engine/threads', 'src/cli'].flatMap((folder) =>
      readdirSync(join(root, folder))
        .filter((name) => name.endsWith('-thread.ts'))
        .map((name) => [name.slice(0, -'.ts'.length), `${folder}/${name}`])
    )
  )

/** Where they lie, two folders below the root as in the product; of this run alone. */
export const testBuild = join(root, 'out', `tests-${process.pid}`)

export async function setup(): Promise<void> {
  await build({
    configFile: false,
    root,
    logLevel: 'error',
    ssr: { noExternal: true, external: ['better-sqlite3'] },
    build: {
      outDir: testBuild,
      emptyOutDir: true,
      ssr: true,
      target: 'node24',
      minify: false,
      rolldownOptions: {
        input: { ...programs, ...threads() },
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunk-[name]-[hash].js' }
      }
    }
  })
}

export function teardown(): void {
  rmSync(testBuild, { recursive: true, force: true })
}
