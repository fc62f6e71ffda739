// SPDX-License-Identifier: Apache-2.0
// Write-ahead logs torn or flipped at random, as a failing disk leaves them: no loss of an acknowledged leaf or key goes unreported.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dice } from '../sample/dice.ts'
import type { AnyDb } from '../sqlite/open.ts'
import { PayloadReader } from '../vault/payload-reader.ts'
import { drafts, type TestFolder, testFolder, writerOf } from './test-workspace.ts'
import type { OpenWorkspace } from './workspace.ts'

/** Damaged logs of one run: 400 with AFFIDAVIT_TEARS=400. */
const tears = Number(process.env.AFFIDAVIT_TEARS ?? 40)
const FILES = ['ledger.db', 'ledger.db-wal', 'keys.db', 'keys.db-wal', 'head']

let folder: TestFolder
beforeEach(() => {
  folder = testFolder()
})
afterEach(() => folder.remove())

/** The short version takes the same draws each time; the long one takes new ones, and names them. */
const seed = tears < 400 ? 1 : Date.now() % 1_000_000
const draw = dice(seed)
const random = (below: number): number => draw.below(below)

/** Truncates, flips one bit, zeroes a sector, or cuts and fills with what a disk may hold. */
function damaged(bytes: Buffer): { readonly how: string; readonly bytes: Buffer } {
  const at = random(bytes.length)
  const copy = Buffer.from(bytes)
  switch (random(4)) {
    case 0:
      return { how: `cut at ${at}`, bytes: copy.subarray(0, at) }
    case 1:
      copy[at] = (copy[at] ?? 0) ^ (1 << random(8))
      return { how: `a bit in byte ${at}`, bytes: copy }
    case 2: {
      const sector = at - (at % 512)
      copy.fill(0, sector, Math.min(sector + 512, copy.length))
      return { how: `a zeroed sector at ${sector}`, bytes: copy }
    }
    default:
      copy.fill(0xa5, at)
      return { how: `noise from ${at}`, bytes: copy }
  }
}

/** Whether every acknowledged leaf is there, the same, with its content. */
function whole(workspace: OpenWorkspace, acknowledged: readonly string[]): boolean {
  const leaves = workspace.ledgerDb.prepare<[], Buffer>('SELECT bytes FROM leaf ORDER BY seq').pluck().all().map(String)
  if (!acknowledged.every((leaf, seq) => leaves[seq] === leaf)) return false
  const keys = new Database(workspace.paths.keys, { readonly: true }) as unknown as AnyDb
  try {
    const payloads = new PayloadReader(workspace.ledgerDb, keys, workspace.identity.keks)
    return acknowledged.every((_, seq) => payloads.open(seq).state === 'present')
  } finally {
    keys.close()
  }
}

describe('damaged write-ahead logs of ledger and vault', () => {
  it(
    `lose nothing unreported, ${tears} times`,
    async () => {
      const figures = { reported: 0, harmless: 0 }
      const silent: string[] = []
      const false_alarms: string[] = []
      const taken = join(folder.state, 'taken')
      mkdirSync(taken, { recursive: true })
      let workspace = await folder.open()
      for (let i = 0; i < tears; i++) {
        // A few new groups each time; now and then the logs were just carried over into the files.
        const writer = writerOf(workspace)
        for (let group = 0; group < 1 + random(4); group++) await writer.append(drafts(writer.size, 1 + random(6)))
        const acknowledged = workspace.ledgerDb.prepare<[], Buffer>('SELECT bytes FROM leaf ORDER BY seq').pluck().all().map(String)
        for (const name of FILES) copyFileSync(join(folder.workspace, name), join(taken, name))
        workspace.close()
        const target = draw.next() < 0.5 ? 'ledger.db-wal' : 'keys.db-wal'
        for (const name of FILES) copyFileSync(join(taken, name), join(folder.workspace, name))
        const { how, bytes } = damaged(readFileSync(join(taken, target)))
        writeFileSync(join(folder.workspace, target), bytes)
        const torn = await folder.open()
        const complete = whole(torn, acknowledged)
        if (torn.start.problem) figures.reported++
        else figures.harmless++
        if (!complete && !torn.start.problem) silent.push(`${i}: ${target}, ${how}`)
        if (complete && torn.start.problem) false_alarms.push(`${i}: ${target}, ${how}: ${torn.start.problem.code}`)
        torn.close()
        for (const name of FILES) copyFileSync(join(taken, name), join(folder.workspace, name))
        workspace = await folder.open()
        if (i % 10 === 9) {
          // Opened and closed: the logs begin anew.
          workspace.close()
          workspace = await folder.open()
        }
      }
      workspace.close()
      if (tears >= 400)
        console.log(`${tears} damaged logs (seed ${seed}): ${figures.reported} reported, ${figures.harmless} without a loss`)
      expect(silent).toEqual([])
      expect(false_alarms).toEqual([])
      expect(figures.reported).toBeGreaterThan(0)
    },
    60_000 + tears * 2_000
  )
})
