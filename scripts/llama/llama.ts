// SPDX-License-Identifier: Apache-2.0
// A real llama.cpp for tests: installed once per user, apart from the project and its lock file, and started as a process of its own.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { installedOnDemand } from '../on-demand.ts'
import { MODEL, writeModel } from './gguf.ts'

const here = import.meta.dirname
const PATIENCE_MS = 60_000

/** Folder with node_modules and the model. Without its optional packages the install is 85 MB instead of 725. */
const installed = (): Promise<string> =>
  installedOnDemand({
    name: 'llama',
    from: here,
    alsoDependsOn: ['gguf.ts'],
    // Not `npm ci`: that wants every optional package to exist, also those of other systems.
    npm: ['install', '--omit=optional'],
    finish: (folder) => writeModel(join(folder, 'model.gguf'))
  })

export interface LlamaServer {
  readonly url: string
  readonly model: string
  /** SHA-256 of the model file. */
  readonly digest: string
  /** The last answer to a POST as the server wrote it: digest of its bytes, and in how many writes. */
  sent(): Promise<{ readonly sha256: string; readonly writes: number }>
  /** Ends the process at once, as a crash does. */
  stop(): void
}

/** Starts the server; the first time it installs what it needs. */
export async function startLlama(): Promise<LlamaServer> {
  const folder = await installed()
  const path = join(folder, 'model.gguf')
  const child = spawn(process.execPath, [join(here, 'server.ts'), folder, path], { stdio: ['ignore', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (piece) => {
    errors += String(piece)
  })
  const port = await new Promise<number>((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill()
      reject(new Error(`llama.cpp did not start\n${errors}`))
    }, PATIENCE_MS)
    child.stdout.once('data', (piece) => {
      clearTimeout(late)
      resolve(Number(String(piece).trim()))
    })
    child.once('exit', () => {
      clearTimeout(late)
      reject(new Error(`llama.cpp ended\n${errors}`))
    })
  })
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    model: MODEL,
    digest: createHash('sha256').update(readFileSync(path)).digest('hex'),
    sent: async () => (await (await fetch(`${url}/sent`)).json()) as { sha256: string; writes: number },
    stop: () => child.kill('SIGKILL')
  }
}
