// SPDX-License-Identifier: Apache-2.0
import { type BundleCase, payloadLine, payloadPath } from './bundle-layout.ts'
import { equalBytes, fromBase64, utf8Decode } from './bytes.ts'
import { commitment, OPENING_BYTES } from './commitment.ts'
import { erasedBy } from './erasure-scope.ts'
import type { ExpectedParts } from './expected-parts.ts'
import type { LeafOutcome } from './verify-leaves.ts'
import { type BundleFiles, type Step, StepReport, type VerifyCrypto, type VerifyProgress } from './verify-steps.ts'
import { WithheldIndex } from './withheld.ts'

export interface PayloadOutcome {
  readonly step: Step
  /** Parts that stay closed, each counted. */
  readonly withheld: number
  /** Erasures in the bundle that took parts of its leaves, by their intents. */
  readonly erasures: readonly { readonly intent: number; readonly done: number; readonly parts: number }[]
}

/** Erasures that are named one by one. */
const MOST_NAMED = 20

type CheckPart = (seq: number, part: string, opening: Uint8Array, plaintext: Uint8Array, subject: string) => void

/**
 * Step 6: every part of every leaf is here and matches its commitment, is named as withheld, or was erased by an
 * erasure whose intent, scope and end are here. Anything else is a fault.
 * `expected` is emptied as parts are found.
 */
export async function checkPayloads(
  files: BundleFiles,
  crypto: VerifyCrypto,
  expected: ExpectedParts,
  { readable, erasures }: Pick<LeafOutcome, 'readable' | 'erasures'>,
  bundleCase: BundleCase | null,
  control: VerifyProgress
): Promise<PayloadOutcome> {
  const report = new StepReport(6)
  if (!readable) {
    report.fault('missing', 'without leaves there is nothing to compare with', 'data/leaves.jsonl')
    return { step: report.done('no leaves'), withheld: 0, erasures: [] }
  }
  const total = expected.size
  let matched = 0
  /** Leaves that an erasure in this bundle names, by the leaf of its intent: their parts are gone, and that is on record. */
  const erased = new Map<number, number>()
  const gone = new Map<number, { intent: number; done: number; parts: number }>()
  const check: CheckPart = (seq, part, opening, plaintext, subject) => {
    const commit = expected.take(seq, part)
    if (commit === undefined) {
      report.fault('stray_payload', 'content that no leaf of the bundle commits to, or that is here twice', subject)
      return
    }
    if (opening.length !== OPENING_BYTES) report.fault('opening_length', `an opening has ${OPENING_BYTES} bytes`, subject)
    else if (!equalBytes(commitment(crypto.sha256, part, opening, plaintext), commit))
      report.fault('payload_changed', 'the content is not what was recorded', subject)
    else {
      matched++
      const leaf = part.startsWith('scope.') && erasures.intents.has(seq) ? erasedBy(plaintext) : undefined
      if (leaf !== undefined) erased.set(leaf, seq)
    }
  }
  const names = new Set(files.names())
  for (const name of names) {
    if (control.cancelled?.()) break
    if (name.startsWith('data/payload/') && !name.endsWith('.opening')) {
      const key = name.slice('data/payload/'.length)
      if (!names.has(`${name}.opening`)) report.fault('opening_missing', 'the opening is missing', name)
      else {
        const [opening, content] = [await readOrNothing(files, `${name}.opening`), await readOrNothing(files, name)]
        if (opening && content) check(Number(key.slice(0, key.indexOf('.'))), key.slice(key.indexOf('.') + 1), opening, content, name)
        else report.fault('payload_unreadable', 'the content or its opening cannot be unpacked', name)
      }
    } else if (name.startsWith('data/payloads/')) await checkList(files, name, check, report)
  }
  for (const name of names) {
    if (name.endsWith('.opening') && !names.has(name.slice(0, -'.opening'.length)))
      report.fault('stray_payload', 'an opening without its content', name)
  }
  const withheld = takeWithheld(expected, bundleCase?.withheld ?? [], report)
  for (const { seq, part } of expected.left()) {
    const intent = erased.get(seq)
    const done = intent === undefined ? undefined : erasures.done.get(erasures.intents.get(intent) ?? '')
    if (intent === undefined) report.fault('part_missing', 'neither here nor named as withheld', payloadPath(seq, part))
    else if (done === undefined)
      report.fault('erasure_not_done', `erased by leaf ${intent}, and the leaf that ends this erasure is not here`, payloadPath(seq, part))
    else {
      const known = gone.get(intent)
      if (known) known.parts++
      else gone.set(intent, { intent, done, parts: 1 })
    }
  }
  const took = [...gone.values()].sort((a, b) => a.intent - b.intent)
  const said = took.slice(0, MOST_NAMED).map(({ intent, done, parts }) => `; ${parts} erased by leaf ${intent}, done at leaf ${done}`)
  const more = `${said.join('')}${took.length > MOST_NAMED ? `; and by ${took.length - MOST_NAMED} more leaves` : ''}`
  return { step: report.done(`${matched} of ${total} parts match; ${withheld} withheld and named${more}`), withheld, erasures: took }
}

/** Takes what is named as withheld out of what is expected; how many parts that is. */
function takeWithheld(expected: ExpectedParts, entries: BundleCase['withheld'], report: StepReport): number {
  if (entries.length === 0) return 0
  const index = new WithheldIndex(entries)
  const named = new Uint32Array(entries.length)
  let parts = 0
  for (const { seq, part, taken } of expected.all()) {
    const entry = index.find(seq, part)
    if (entry === undefined) continue
    named[entry] = 1
    parts++
    if (taken) report.fault('withheld_present', 'named as withheld, but it is here', `leaf ${seq}, ${part}`)
    else expected.take(seq, part)
  }
  for (const [entry, { seq, part }] of entries.entries())
    if (named[entry] === 0 || index.doubled.has(entry))
      report.fault('withheld_present', 'named as withheld, but no leaf has it, or it is named twice', `leaf ${seq}, ${part}`)
  return parts
}

async function readOrNothing(files: BundleFiles, name: string): Promise<Uint8Array | undefined> {
  try {
    return await files.read(name)
  } catch {
    return undefined
  }
}

async function checkList(files: BundleFiles, name: string, check: CheckPart, report: StepReport): Promise<void> {
  let number = 0
  for await (const bytes of files.lines(name)) {
    number++
    try {
      const line = payloadLine.parse(JSON.parse(utf8Decode(bytes)))
      check(line.seq, line.part, fromBase64(line.opening), fromBase64(line.plaintext), `leaf ${line.seq}, ${line.part}`)
    } catch {
      report.fault('payload_unreadable', 'a line that is no payload', `${name}, line ${number}`)
    }
  }
}
