// SPDX-License-Identifier: Apache-2.0
// Looks, back-tests and receipts on a workspace, or on a bundle alone.
import { explainBundleFile } from '../node/explain-bundle.ts'
import { verifyBundleFile } from '../node/verify-file.ts'
import type { BacktestRun, DriftReceipt } from '../shared/contract/drift-backtest.ts'
import { backtestSettings } from '../shared/contract/drift-backtest.ts'
import { AffidavitError } from '../shared/contract/errors.ts'
import { whyWords } from '../shared/drift/reason-words.ts'
import type { CliEnvironment } from './config.ts'
import { waitForJob } from './jobs.ts'
import { EXIT, print, say } from './output.ts'
import { type WorkspaceOptions, withEngine } from './workspace-commands.ts'

interface Range {
  readonly from?: string
  readonly to?: string
}

const rangeOf = ({ from, to }: Range) => ({ ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) })

/** One look at every series with a reference; 1 when something alarmed. */
export function runLook(options: WorkspaceOptions & Range, environment: CliEnvironment): Promise<number> {
  return withEngine(options, environment, async (engine) => {
    const look = await engine.call('drift.look', rangeOf(options))
    if (options.json) print(JSON.stringify(look))
    else {
      for (const series of look.series)
        for (const verdict of series.numbers)
          print(`${series.model} ${series.source} ${verdict.feature}: ${verdict.sentence} ${whyWords(verdict)}`)
      print(`${look.tests} tests, ${look.collecting} collecting, ${look.alarmed} alarmed`)
    }
    return look.alarmed > 0 ? EXIT.negative : EXIT.done
  })
}

/** Settings as `name=value` in the words of `settings.get`. @throws AffidavitError bad_request */
function settingsOf(pairs: readonly string[]): Record<string, unknown> {
  const asked = Object.fromEntries(
    pairs.map((pair) => {
      const [name = '', ...rest] = pair.split('=')
      const value = rest.join('=')
      return [name, value !== '' && Number.isFinite(Number(value)) ? Number(value) : value]
    })
  )
  const parsed = backtestSettings.partial().strict().safeParse(asked)
  if (!parsed.success)
    throw new AffidavitError('bad_request', `--set: name=value with one of ${Object.keys(backtestSettings.shape).join(', ')}`)
  return parsed.data
}

function printRun(name: string, run: BacktestRun): void {
  print(`${name}: ${run.looks} looks, ${run.tests} tests, ${run.alarms} alarms, ${run.alerts} alerts`)
  for (const alarm of run.list)
    print(
      `  ${alarm.time} ${alarm.model} ${alarm.source} ${alarm.features.join(',')} ${alarm.score.toFixed(3)}${alarm.opens ? ' opens an alert' : ''}`
    )
  if (run.alarms > run.list.length) print(`  … and ${run.alarms - run.list.length} later alarms, which are counted and not listed`)
}

/** What would have alarmed over the stored history; 1 when an alert would have opened under the settings asked about. */
export function runBacktest(
  options: WorkspaceOptions & Range & { readonly set: readonly string[] },
  environment: CliEnvironment
): Promise<number> {
  const settings = settingsOf(options.set)
  return withEngine(options, environment, async (engine) => {
    const { job_id } = await engine.call('drift.backtest', { ...rangeOf(options), settings })
    await waitForJob(engine, job_id)
    const result = await engine.call('drift.backtest_result', { job_id })
    if (options.json) print(JSON.stringify(result))
    else {
      print(`${result.from} to ${result.to}`)
      if (result.outside > 0) print(`${result.outside} records claim times far from all others and were left out`)
      printRun('present settings', result.present)
      if (result.proposed) printRun('asked settings', result.proposed)
    }
    return (result.proposed ?? result.present).alerts > 0 ? EXIT.negative : EXIT.done
  })
}

function printReceipt(receipt: DriftReceipt): void {
  print(`look ${receipt.look_seq} of ${receipt.look_time}`)
  for (const series of receipt.series)
    for (const one of series.numbers)
      print(
        `  ${series.model} ${series.source} ${one.feature}: ${one.state === 'tested' ? `D ${one.d} L ${one.l} p ${one.p} q ${one.q} ${one.method} n ${one.n} m ${one.m}` : one.sentence} ${whyWords(one)}`
      )
  for (const fault of receipt.faults) print(`  ${fault}`)
  print(receipt.reproduced ? `  reproduced to the last digit, ${receipt.body_sha256}` : '  NOT reproduced')
}

/** Decides looks again, of a workspace or from a bundle alone, and compares; 1 when a digit differs or the bundle is not intact. */
export async function explain(
  options: Partial<WorkspaceOptions> & { readonly bundle?: string; readonly look?: number },
  environment: CliEnvironment
): Promise<number> {
  const { workspace, bundle, look } = options
  if ((workspace === undefined) === (bundle === undefined)) throw new AffidavitError('bad_request', 'name either --bundle or --workspace')
  const show = (receipts: readonly DriftReceipt[], more: object): number => {
    if (options.json) print(JSON.stringify({ ...more, receipts }))
    else for (const receipt of receipts) printReceipt(receipt)
    return receipts.every((receipt) => receipt.reproduced) ? EXIT.done : EXIT.negative
  }
  if (bundle === undefined) {
    return withEngine({ ...options, workspace: workspace ?? '' }, environment, async (engine) => {
      const receipt = await engine.call('drift.explain', look === undefined ? {} : { look_seq: look })
      return show([receipt], {})
    })
  }
  const report = await verifyBundleFile(bundle)
  const receipts = (await explainBundleFile(bundle)).filter((receipt) => look === undefined || receipt.look_seq === look)
  if (receipts.length === 0) throw new AffidavitError('nothing_selected', 'the bundle holds no such look: export the records of the alert')
  if (!options.json) say(report.verdict)
  const code = show(receipts, { verdict: report.verdict })
  return report.kind === 'invalid' ? EXIT.negative : code
}
