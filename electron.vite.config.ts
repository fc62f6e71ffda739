// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'

// Pinned by hand: electron-vite derives them from the version of Electron in node_modules, while the build must also run on the stand-in
// runtime (Electron 33: Node 20.18, Chrome 130). Only syntax is lowered; newer APIs must not be used.
const node = 'node20.18'
const chrome = 'chrome130'

const entries = {
  index: 'src/main/index.ts',
  engine: 'src/engine/index.ts',
  'projector-thread': 'src/engine/threads/projector-thread.ts',
  'reader-thread': 'src/engine/threads/reader-thread.ts',
  'sealer-thread': 'src/engine/threads/sealer-thread.ts',
  'drafter-thread': 'src/engine/threads/drafter-thread.ts',
  'parquet-thread': 'src/engine/threads/parquet-thread.ts',
  'verify-thread': 'src/cli/verify-thread.ts',
  cli: 'src/cli/index.ts'
}
const input = Object.fromEntries(Object.entries(entries).filter(([, path]) => existsSync(path)))

const port = 5173

/** The pages of one file each lie beside the engine, which puts them into bundles and serves them. */
const pagesPlugin = {
  name: 'affidavit:pages',
  async generateBundle(this: { emitFile(file: { type: 'asset'; fileName: string; source: string }): string }) {
    // By its address: bundled into this file, as imports of a configuration are, it would look for its sources from another folder.
    const tool = pathToFileURL(resolve('scripts/pages.ts')).href
    const { builtPage, pageNames } = (await import(tool)) as { builtPage(name: string): Promise<string>; pageNames: readonly string[] }
    for (const name of pageNames) this.emitFile({ type: 'asset', fileName: `${name}.html`, source: await builtPage(name) })
  }
}

export default defineConfig({
  main: {
    plugins: [pagesPlugin],
    build: {
      target: node,
      sourcemap: true,
      minify: false,
      // All but the native module is bundled; `dependencies` holds nothing else.
      externalizeDeps: true,
      rolldownOptions: {
        input,
        // Flat: worker entries are looked for beside the file that starts them.
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunk-[name]-[hash].js' }
      }
    }
  },
  preload: {
    build: {
      target: node,
      sourcemap: true,
      externalizeDeps: false,
      rolldownOptions: { input: { index: 'src/preload/index.ts' }, output: { format: 'cjs', entryFileNames: '[name].cjs' } }
    }
  },
  renderer: {
    root: 'src/renderer',
    plugins: [
      react(),
      // The page is served at a fixed origin and has places inside it: addresses of its files must not depend on the place.
      { name: 'affidavit:base', enforce: 'post', config: () => ({ base: '/' }) }
    ],
    html: { cspNonce: '__NONCE__' },
    server: { port, strictPort: true, host: 'localhost', hmr: { protocol: 'ws', host: 'localhost', clientPort: port } },
    build: {
      target: chrome,
      sourcemap: true,
      minify: true,
      assetsInlineLimit: 0,
      rolldownOptions: {
        input: resolve('src/renderer/index.html'),
        output: {
          // Charts come after the first paint: no screen waits for them.
          codeSplitting: { groups: [{ name: 'charts', test: /node_modules[\\/](echarts|zrender)[\\/]/ }] }
        }
      }
    }
  }
})
