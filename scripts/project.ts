// SPDX-License-Identifier: Apache-2.0
import { type SpawnOptions, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'

/** Root folder of the project, wherever the command was started. */
export const root: string = resolve(import.meta.dirname, '..')

/** What the scripts need of package.json. */
export const manifest: { readonly name: string; readonly productName: string; readonly version: string; readonly description: string } =
  JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** Ends with a sentence that says what to do when the dependencies are not installed. */
export function requireDependencies(): void {
  if (existsSync(join(root, 'node_modules', 'electron-vite'))) return
  fail('The dependencies are not installed: run `npm ci` first.')
}

/** Prints what went wrong and ends with 1. */
export function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

/** One line about what happens now, on standard error so that standard output stays usable. */
export function say(line: string): void {
  process.stderr.write(`▸ ${line}\n`)
}

/** Environment in which children find this Node and the tools of node_modules first. */
export function toolEnvironment(extra: Readonly<Record<string, string | undefined>> = {}): NodeJS.ProcessEnv {
  const path = [dirname(process.execPath), join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter)
  return { ...process.env, PATH: path, ...extra }
}

/** Exit status of a child as a shell would show it. */
export function exitStatus(code: number | null, signal: NodeJS.Signals | null): number {
  if (code !== null) return code
  return signal === null ? 1 : 128 + constants.signals[signal]
}

/** Runs a command, forwards SIGINT, SIGTERM and SIGHUP to it and resolves with its exit status. */
export function run(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<number> {
  return new Promise((done, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', env: toolEnvironment(), shell: command.endsWith('.cmd'), ...options })
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
    const forward = (signal: NodeJS.Signals): void => {
      child.kill(signal)
    }
    for (const signal of signals) process.on(signal, forward)
    const settle = (): void => {
      for (const signal of signals) process.off(signal, forward)
    }
    child.once('error', (error) => {
      settle()
      reject(error)
    })
    child.once('exit', (code, signal) => {
      settle()
      done(exitStatus(code, signal))
    })
  })
}
