// SPDX-License-Identifier: Apache-2.0
// What an engine may be doing when it is killed. Every feature that writes in steps adds its activity here: the crash test runs a random mix
// of them, kills the engine at a random moment, and asks each activity afterwards whether its intents are complete or cleanly undone.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { EngineProcess } from './engine-process.ts'
import { backups, disposals, erasures } from './governed-activities.ts'
import type { TestEngine } from './test-engine.ts'

export interface Activity {
  readonly name: string
  /** Whether the moment of the kill is counted from when it says that it is in the middle. */
  readonly inSteps: boolean
  /**
   * Works until the engine dies: every call may then reject, and that ends it. Keeps in mind what was acknowledged. Calls `middle` whenever
   * it begins what takes many steps.
   */
  run(engine: EngineProcess, root: string, middle: () => void): Promise<void>
  /** Looks at the workspace after the last restart; gives what is lost, half done or wrong, in words. */
  check(engine: TestEngine, root: string): Promise<readonly string[]>
  /** Pieces of work that were acknowledged before some kill. */
  done(): number
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Checkpoints as fast as they are signed: a proof asks for one over everything. */
function checkpoints(): Activity {
  let largest = 0
  let signed = 0
  return {
    name: 'checkpoint',
    inSteps: false,
    done: () => signed,
    run: async (engine) => {
      for (;;) {
        const { ledger } = await engine.call('workspace.status', {})
        const proof = await engine.call('records.proof', { seq: Math.floor(Math.random() * ledger.size) })
        signed++
        largest = Math.max(largest, proof.checkpoint?.size ?? 0)
      }
    },
    check: async (engine) => {
      const { checkpoint } = await engine.call('workspace.status', {})
      return (checkpoint?.size ?? 0) >= largest
        ? []
        : [`a checkpoint of ${largest} leaves was shown, the last one now has ${checkpoint?.size}`]
    }
  }
}

/** Settings: what was acknowledged last, or asked for after it, is what holds. */
function settings(): Activity {
  let acknowledged: number | undefined
  let asked: number[] = []
  let set = 0
  return {
    name: 'settings',
    inSteps: false,
    done: () => set,
    run: async (engine) => {
      for (;;) {
        const next = 1 + Math.floor(Math.random() * 8_000)
        asked.push(next)
        await engine.call('settings.set', { verify_every_hours: next })
        acknowledged = next
        set++
        asked = []
        await pause(5)
      }
    },
    check: async (engine) => {
      const { verify_every_hours } = await engine.call('settings.get', {})
      const fits = verify_every_hours === acknowledged || asked.includes(verify_every_hours) || acknowledged === undefined
      return fits ? [] : [`the setting is ${verify_every_hours}, ${acknowledged} was acknowledged`]
    }
  }
}

/** Bundles: a file under its own name is whole, and one that was reported as done is there and on record. */
function exports(): Activity {
  const done = new Map<string, string>()
  let n = 0
  return {
    name: 'export',
    inSteps: false,
    done: () => done.size,
    run: async (engine, root) => {
      for (;;) {
        const out = join(root, `bundle-${n++}.affidavit.zip`)
        const { job_id } = await engine.call('export.start', { query: 'latency:<1s', recipient: 'r', purpose: 'p', out })
        for (;;) {
          const { state } = await engine.call('jobs.get', { id: job_id })
          if (state === 'done') break
          if (state !== 'running') return
          await pause(10)
        }
        done.set(out, (await engine.call('export.result', { job_id })).bundle_sha256)
      }
    },
    check: async (engine, root) => {
      const wrong: string[] = []
      const onRecord = new Set((await engine.call('export.list', {})).exports.map((row) => row.bundle_sha256))
      for (const hash of done.values()) if (!onRecord.has(hash)) wrong.push('an export that was reported is not on record')
      const names = readdirSync(root).filter((name) => name.endsWith('.affidavit.zip'))
      for (const name of names.slice(-3)) {
        const { job_id } = await engine.call('verify.file', { path: join(root, name) })
        await engine.job(job_id)
        const { kind, steps } = await engine.call('verify.report', { job_id })
        if (kind !== 'consistent') wrong.push(`${name} is ${kind}: ${JSON.stringify(steps.filter((step) => step.state === 'fail'))}`)
      }
      return wrong
    }
  }
}

/** A fresh set for one crash test. */
export const activities = (): readonly Activity[] => [checkpoints(), settings(), exports(), erasures(), disposals(), backups()]
