// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ElectronApplication, Page } from '@playwright/test'
import { dice } from '../src/engine/sample/dice.ts'
import type { OperationInput, OperationName, OperationOutput } from '../src/shared/contract/contract.ts'
import { type LaunchedApp, projectRoot } from './harness.ts'

/** The study's file where it is; users' clones do not have it. */
const study = join(projectRoot, '..', 'shared', 'data', 'llmdrift', 'PRIME_FULL_EVAL.csv')

export interface RecordFile {
  readonly path: string
  readonly profile: string
  readonly rows: number
  /** Largest gaps of gpt-4-0613 against gpt-4-0314, three decimals: latency, token_usage, response_length. */
  readonly gaps: readonly [string, string, string]
}

/** 4,000 calls to four model versions: the real ones, or generated ones with a clear version change. */
export async function records(): Promise<RecordFile> {
  if (existsSync(study)) return { path: study, profile: 'llmdrift-csv', rows: 4000, gaps: ['0.711', '0.999', '0.999'] }
  console.log('shared/data is not here: using generated records instead of the LLMDrift study')
  const { next, normal } = dice(2023)
  const lines: string[] = []
  const latencies: Record<string, number[]> = {}
  for (const model of ['gpt-3.5-turbo-0301', 'gpt-4-0613', 'gpt-4-0314', 'gpt-3.5-turbo-0613']) {
    const terse = model === 'gpt-4-0613'
    for (let i = 0; i < 1000; i++) {
      // As the study: half of the calls on one evening, half three weeks later with other questions, which most versions answer at more length.
      const later = i >= 500
      const slow = terse ? next() < 0.12 : later
      const latency = Math.round(1000 * (terse && !slow ? 1.46 : slow ? 14 : 6) * Math.exp((terse ? 0.3 : 0.6) * normal()))
      const words = 20 + Math.floor(60 * next()) + (later ? 50 : 0)
      latencies[model] = [...(latencies[model] ?? []), latency]
      lines.push(
        JSON.stringify({
          source: 'llmdrift',
          model,
          provider: 'openai',
          start_time: later ? '2023-07-24T21:00:49Z' : '2023-07-02T21:28:40Z',
          latency_ms: latency,
          output_tokens: terse ? 3 : 2 * words,
          prompt: `Is ${10_007 + i} a prime number? Think step by step.`,
          response: terse ? '[No]' : `[No] because ${i} has a divisor, found after ${'step '.repeat(words)}and done`
        })
      )
    }
  }
  const path = join(mkdtempSync(join(tmpdir(), 'affidavit-records-')), 'generated.jsonl')
  writeFileSync(path, `${lines.join('\n')}\n`)
  const gap = largestGap(latencies['gpt-4-0314'] ?? [], latencies['gpt-4-0613'] ?? [])
  return { path, profile: 'affidavit-jsonl', rows: 4000, gaps: [gap.toFixed(3), '1.000', '1.000'] }
}

/** The two-sample Kolmogorov-Smirnov distance, counted the slow way: what the app shows is held against it. */
function largestGap(a: readonly number[], b: readonly number[]): number {
  const share = (values: readonly number[], at: number) => values.filter((value) => value <= at).length / values.length
  return Math.max(...[...a, ...b].map((at) => Math.abs(share(a, at) - share(b, at))))
}

/** Calls the engine through the page, as the page does; fails with the engine's message. */
export async function callOk<N extends OperationName>(page: Page, op: N, input: OperationInput<N>): Promise<OperationOutput<N>> {
  const reply = await page.evaluate(([name, value]) => window.affidavit.call(name as string, value), [op, input] as const)
  if (!reply.ok) throw new Error(`${op}: ${reply.error.code}: ${reply.error.message}`)
  return reply.value as OperationOutput<N>
}

/** Answers the dialogs of the system that come next: they cannot be driven from outside. */
export async function answerDialogs(
  app: ElectronApplication,
  answers: { readonly open?: readonly string[]; readonly save?: string }
): Promise<void> {
  await app.evaluate(({ dialog }, given) => {
    dialog.showOpenDialog = async () => ({ canceled: given.open === undefined, filePaths: [...(given.open ?? [])] })
    dialog.showSaveDialog = async () => ({ canceled: given.save === undefined, filePath: given.save ?? '' })
  }, answers)
}

/** Waits until a job of the engine has ended well. */
export async function waitForJob(page: Page, id: string): Promise<void> {
  for (;;) {
    const job = await callOk(page, 'jobs.get', { id })
    if (job.state === 'done') return
    if (job.state !== 'running') throw new Error(`${job.kind} ended as ${job.state}: ${job.error?.message ?? ''}`)
    await page.waitForTimeout(50)
  }
}

/** The study, two baselines, a look with its alerts and a bundle, whose path is returned. */
export async function fillWorkspace(app: LaunchedApp): Promise<string> {
  const { page } = app
  const file = await records()
  const { job_id } = await callOk(page, 'import.start', { path: file.path, profile: file.profile })
  await waitForJob(page, job_id)
  await callOk(page, 'drift.set_baseline', { name: 'gpt-4 in March', query: 'model:gpt-4-0314', model: 'gpt-4-0613', source: 'llmdrift' })
  await callOk(page, 'drift.set_baseline', {
    name: 'gpt-3.5 in March',
    query: 'model:gpt-3.5-turbo-0301',
    model: 'gpt-3.5-turbo-0613',
    source: 'llmdrift'
  })
  await callOk(page, 'drift.look', {})
  const out = join(app.userData, 'case-26-1140.affidavit.zip')
  const { job_id: exported } = await callOk(page, 'export.start', {
    query: 'model:gpt-4-0613 latency:>10s',
    recipient: 'Examination unit',
    purpose: 'Regulatory examination',
    out
  })
  await waitForJob(page, exported)
  return out
}
