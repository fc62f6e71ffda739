// SPDX-License-Identifier: Apache-2.0
import { Command, InvalidArgumentError, Option } from 'commander'
import { AffidavitError } from '../shared/contract/errors.ts'
import { isIsoDay } from '../shared/event/iso-day.ts'
import { roles } from '../shared/evidence/leaf-data.ts'
import { anchorNow, listAnchors } from './anchor.ts'
import { backup, restore } from './backup.ts'
import { cliEnvironment } from './config.ts'
import { driftTest } from './drift.ts'
import { explain, runBacktest, runLook } from './drift-workspace.ts'
import { exportBundle, interruptedExports } from './export.ts'
import { importFiles } from './import.ts'
import { changeableKeys, reportKeys, rotateKey } from './keys.ts'
import { EXIT, print, say } from './output.ts'
import { addPerson, listPeople } from './people.ts'
import { sample } from './sample.ts'
import { verifyFile } from './verify.ts'
import { verifyForeign } from './verify-foreign.ts'
import { APP_VERSION, query, rebuild, serve, verifyWorkspace } from './workspace-commands.ts'

const environment = cliEnvironment()

const whole = (text: string): number => {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('a whole number is needed')
  return value
}

const moment = (text: string): Date => {
  const value = new Date(text)
  if (!/T.*(?:Z|[+-]\d{2}:?\d{2})$/.test(text) || !isIsoDay(text) || Number.isNaN(value.getTime()))
    throw new InvalidArgumentError('a time such as 2026-04-01T12:00:00Z is needed')
  return value
}

const collect = (value: string, before: readonly string[]): string[] => [...before, value]

const leafRangeOf = (text: string): { readonly first: number; readonly last: number } => {
  const [, first = '', last = ''] = /^(\d+)\.\.(\d+)$/.exec(text) ?? []
  const range = { first: Number(first), last: Number(last) }
  if (last === '' || !Number.isSafeInteger(range.last) || range.first > range.last)
    throw new InvalidArgumentError('two leaf numbers are needed, as in 0..99')
  return range
}

/** The options of a command that acts on a workspace, beside its folder. */
const acting = (command: Command): Command =>
  command
    .option('--state <dir>', 'folder of keys and remembered heads, outside the workspace')
    .option('--user <name>', 'person to act for, where people are set up')
    .option('--password-file <file>', 'file with that person’s password on its first line')
    .option('--json', 'results as JSON')

const workspaceCommand = (program: Command, name: string, description: string): Command =>
  acting(program.command(name).description(description).requiredOption('--workspace <dir>', 'folder of the workspace'))

/** Failures that say no to the content rather than to the call. */
const negative = new Set(['no_good_record', 'nothing_selected', 'cancelled', 'conflict', 'unreachable', 'not_trusted'])

async function run(work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work()
  } catch (error) {
    const known = error instanceof AffidavitError
    const json = process.argv.includes('--json')
    const code = known ? error.code : 'internal'
    const message = error instanceof Error ? error.message : 'failed'
    if (json) print(JSON.stringify({ error: { code, message } }))
    else say(`${code}: ${message}`)
    process.exitCode = known && negative.has(error.code) ? EXIT.negative : EXIT.usage
  }
}

const program = new Command('affidavit')
  .description('A tamper-evident record of what language models were asked and answered')
  .version(APP_VERSION)
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : EXIT.usage)
  })

workspaceCommand(program, 'serve', 'both HTTP servers, headless').action((options) => run(() => serve(options, environment)))

workspaceCommand(program, 'import', 'import files; a second import of the same file adds nothing')
  .addOption(new Option('--profile <name>', 'format of the files; found by their content when absent').conflicts('map'))
  .option('--map <file>', 'what each column means, as JSON, for files that no profile knows')
  .option('--print-mapping', 'print such a mapping as it is guessed from the file, and import nothing')
  .option('--zone <zone>', 'time zone of times without one (default: UTC)')
  .option('--source <name>', 'calling application to record')
  .argument('<file...>')
  .action((files: string[], options) => run(() => importFiles(files, options, environment)))

workspaceCommand(program, 'query', 'records that match a filter, as JSON lines')
  .option('--limit <n>', 'most records', whole, Number.MAX_SAFE_INTEGER)
  .argument('[text]', 'the filter language of the records view; -- before a text that begins with -', '')
  .addHelpText('after', "\nExample: affidavit query --workspace DIR -- '-model:gpt-4o latency:>2s'")
  .action((text: string, options) => run(() => query(text, options, environment)))

workspaceCommand(program, 'export', 'write a signed bundle')
  .option('--query <text>', 'the filter language of the records view', '')
  .option('--at <size>', 'tree size to prove against: the newest checkpoint up to it', whole)
  .option('--range <a..b>', 'every leaf from a to b, so that none is missing; with contents only what the query finds', leafRangeOf)
  .addOption(
    new Option('--withhold <part>', 'part to withhold, may be repeated')
      .choices(['request', 'response', 'error', 'event'])
      .argParser(collect)
      .default([])
  )
  .requiredOption('--recipient <who>')
  .requiredOption('--purpose <why>')
  .requiredOption('--out <file>')
  .option('--replace', 'replace an existing file', false)
  .option('--withhold-personal', 'withhold each part of a record with personal data, by the settings of privacy', false)
  .option('--withhold-reason <text>', 'why parts are withheld; stands in the bundle beside each of them')
  .option('--pdf', 'the report as PDF too (needs the desktop runtime; the bytes of the bundle then differ each time)')
  .option('--parquet', 'the table of records in Parquet too')
  .option('--encrypt-to <recipient>', 'encrypt the file for the holder of this age key (age1…)')
  .action((options) => run(() => exportBundle(options, environment)))

workspaceCommand(program, 'exports', 'list exports that were interrupted')
  .option('--discard <id>', 'give one up and remove its unfinished file')
  .action((options) => run(() => interruptedExports(options, environment)))

program
  .command('verify')
  .description('verify a bundle, a whole workspace, or evidence of other programs: checkpoint, proof, timestamp, BagIt folder')
  .argument('[file]')
  .option('--workspace <dir>')
  .option('--state <dir>')
  .option('--user <name>', 'person to act for, where people are set up')
  .option('--password-file <file>', 'file with that person’s password on its first line')
  .option('--trust <dir>', 'folder with log.vkey, allowed_signers, tsa-ca.pem, witness.vkey confirmed outside the bundle')
  .option('--no-remember', 'do not hold the bundle against the heads seen before, and keep nothing of it')
  .option('--identity <file>', 'file of age identities (AGE-SECRET-KEY-…) that open an encrypted bundle')
  .option('--passphrase-file <file>', 'file with the passphrase of an encrypted bundle on its first line')
  .option('--require-trust', 'exit 1 for every verdict but valid', false)
  .option('--of <file>', 'the leaf of an inclusion proof, or the file under a timestamp')
  .option('--log-key <file>', 'verifier key (C2SP vkey) of the other log, obtained elsewhere')
  .option('--old <file>', 'older checkpoint of a consistency proof')
  .option('--new <file>', 'later checkpoint of a consistency proof')
  .option('--ca <file>', 'certificate (PEM) of a timestamp authority')
  .option('--json', 'results as JSON')
  .action((file: string | undefined, options) =>
    run(async () => {
      if (file !== undefined && options.workspace === undefined)
        return (await verifyForeign(file, options)) ?? verifyFile(file, options, environment.state)
      if (file === undefined && options.workspace !== undefined) return verifyWorkspace(options, environment)
      throw new AffidavitError('bad_request', 'name either a bundle or --workspace')
    })
  )

const drift = program.command('drift').description('drift verdicts')
workspaceCommand(drift, 'run', 'look at every series with a reference, now')
  .option('--from <time>', 'judge records from this time on (ISO 8601)')
  .option('--to <time>', 'judge records before this time (ISO 8601)')
  .action((options) => run(() => runLook(options, environment)))
workspaceCommand(drift, 'backtest', 'what would have alarmed over the stored history')
  .option('--from <time>', 'first claimed start (ISO 8601)')
  .option('--to <time>', 'claimed starts before this time (ISO 8601)')
  .addOption(new Option('--set <name=value>', 'a setting to try, may be repeated').argParser(collect).default([]))
  .action((options) => run(() => runBacktest(options, environment)))
acting(drift.command('explain').description('decide a look again from what its leaves hold, and compare'))
  .option('--workspace <dir>', 'folder of the workspace')
  .option('--bundle <file>', 'a bundle, instead of a workspace')
  .option('--look <seq>', 'leaf of the look; the newest of a workspace, all of a bundle when not given', whole)
  .action((options) => run(() => explain(options, environment)))
drift
  .command('test')
  .description('two-sample Kolmogorov-Smirnov test of two files of numbers, one a line')
  .requiredOption('--x <file>')
  .requiredOption('--y <file>')
  .addOption(new Option('--alternative <side>').choices(['two-sided', 'less', 'greater']).default('two-sided'))
  .option('--json', 'results as JSON')
  .action((options) => run(() => driftTest(options)))

const people = program.command('people').description('who may work here')
workspaceCommand(people, 'add', 'add a person; the first one is the administrator')
  .requiredOption('--name <name>')
  .addOption(new Option('--role <role>').choices(roles).makeOptionMandatory())
  .option('--new-password-file <file>', 'file with the new person’s first password on its first line')
  .option('--account <name>', 'account of the operating system the new person signs in with')
  .action((options) => run(() => addPerson(options, environment)))
workspaceCommand(people, 'list', 'everybody who is or was set up').action((options) => run(() => listPeople(options, environment)))

const keys = program.command('keys').description('keys of a workspace')
workspaceCommand(keys, 'report', 'keys in use and before, with the fingerprints to compare').action((options) =>
  run(() => reportKeys(options, environment))
)
workspaceCommand(keys, 'rotate', 'replace a key by a new one; the old one is destroyed')
  .addOption(new Option('--use <use>', 'the key to replace').choices(changeableKeys).makeOptionMandatory())
  .action((options) => run(() => rotateKey(options, environment)))

const anchor = program.command('anchor').description('what stands outside this machine for the log')
workspaceCommand(anchor, 'list', 'timestamps and cosignatures, newest first').action((options) =>
  run(() => listAnchors(options, environment))
)
workspaceCommand(anchor, 'now', 'ask the timestamp authority and the witnesses for the newest checkpoint').action((options) =>
  run(() => anchorNow(options, environment))
)

workspaceCommand(program, 'backup', 'copy the workspace to a folder while it stays whole, and hold the copy against a signed checkpoint')
  .requiredOption('--to <dir>', 'folder of the backups, outside the workspace')
  .option('--test', 'restore the copy into a temporary folder at once, and compare', false)
  .action((options) => run(() => backup(options, environment)))

workspaceCommand(program, 'restore', 'verify a backup and restore it to a new folder, which --workspace names')
  .requiredOption('--from <dir>', 'folder of the backup')
  .option('--test', 'only test it: restore into a temporary folder, compare with the workspace, remove it', false)
  .option('--accept-loss', 'go back although leaves newer than the backup are lost; recorded as a rollback that a person chose', false)
  .action((options) => run(() => restore(options, environment)))

workspaceCommand(program, 'sample', 'make a sample workspace in a new folder: generated data, marked SAMPLE everywhere')
  .option('--records <n>', 'this many generated records and no alerts, for benchmarks', whole)
  .option('--now <time>', 'end of the week it shows, ISO 8601 with a zone (default: now)', moment)
  .action((options) => run(() => sample(options, environment)))

workspaceCommand(program, 'rebuild', 'make the catalog anew from the ledger').action((options) => run(() => rebuild(options, environment)))

// Said outright: under Electron the arguments would be looked for elsewhere.
await program.parseAsync(process.argv, { from: 'node' })
