// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, cpSync, existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { drafts, type TestFolder, testFolder, writerOf } from './test-workspace.ts'

let folder: TestFolder
beforeEach(() => {
  folder = testFolder()
})
afterEach(() => folder.remove())

const at = (name: string) => join(folder.workspace, name)

/** Appends and closes cleanly. */
async function fill(from: number, count: number): Promise<void> {
  const workspace = await folder.open()
  await writerOf(workspace).append(drafts(from, count))
  workspace.saveHead(writerOf(workspace).tree())
  workspace.close()
}

async function problemAtStart(): Promise<string | undefined> {
  const workspace = await folder.open()
  try {
    const { problem } = workspace.start
    // Read-only means that there is no writer at all.
    expect(workspace.ledger === null).toBe(problem !== undefined)
    return problem?.code
  } finally {
    workspace.close()
  }
}

/** Changes a database behind the program's back. */
function tamper(name: string, sql: string): void {
  const db = new Database(at(name))
  db.exec(sql)
  db.close()
}

describe('start of a workspace', () => {
  it('creates the head before the first append and goes on where it stopped', async () => {
    const workspace = await folder.open()
    expect(workspace.start.problem).toBeUndefined()
    expect(existsSync(at('head'))).toBe(true)
    expect(statSync(folder.workspace).mode & 0o777).toBe(0o700)
    workspace.close()
    await fill(0, 10)
    await fill(10, 7)
    const again = await folder.open()
    expect(again.start.problem).toBeUndefined()
    expect(again.size).toBe(17)
    expect(again.start.secondCopy).toBe('matches')
    again.close()
  })

  it('lets one writer in', async () => {
    const first = await folder.open()
    await expect(folder.open()).rejects.toMatchObject({ code: 'workspace_locked' })
    first.close()
    expect(await problemAtStart()).toBeUndefined()
  })

  it('reports an older copy of the ledger', async () => {
    await fill(0, 10)
    copyFileSync(at('ledger.db'), join(folder.state, 'old'))
    await fill(10, 10)
    copyFileSync(join(folder.state, 'old'), at('ledger.db'))
    expect(await problemAtStart()).toBe('rollback_detected')
  })

  it('reports an older copy of the whole folder', async () => {
    await fill(0, 10)
    cpSync(folder.workspace, join(folder.state, 'copy'), { recursive: true })
    await fill(10, 10)
    rmSync(folder.workspace, { recursive: true })
    cpSync(join(folder.state, 'copy'), folder.workspace, { recursive: true })
    expect(await problemAtStart()).toBe('rollback_detected')
  })

  it('reports a truncated write-ahead log', async () => {
    await fill(0, 5)
    const workspace = await folder.open()
    await writerOf(workspace).append(drafts(5, 20))
    // What a power cut leaves behind: the files as they are while the engine runs, the end of the log missing.
    for (const name of ['ledger.db', 'ledger.db-wal', 'keys.db', 'keys.db-wal', 'head', 'workspace.json'])
      copyFileSync(at(name), join(folder.state, name))
    workspace.close()
    for (const name of ['ledger.db', 'ledger.db-wal', 'keys.db', 'keys.db-wal', 'head']) copyFileSync(join(folder.state, name), at(name))
    truncateSync(at('ledger.db-wal'), Math.floor(statSync(at('ledger.db-wal')).size / 2))
    expect(await problemAtStart()).toBe('rollback_detected')
  })

  it.each([
    [
      'a leaf',
      "DROP TRIGGER leaf_no_update; UPDATE leaf SET bytes = CAST(replace(CAST(bytes AS TEXT), 'success', 'incompl') AS BLOB) WHERE seq = 9",
      'ledger_damaged'
    ],
    [
      'an inner node',
      'DROP TRIGGER node_no_update; UPDATE node SET hash = zeroblob(32) WHERE pos = (SELECT max(pos) FROM node)',
      undefined
    ],
    ['the last leaf away', 'DROP TRIGGER leaf_no_delete; DELETE FROM leaf WHERE seq = 9', 'rollback_detected']
  ])('reports a change of %s', async (_, sql, code) => {
    await fill(0, 10)
    tamper('ledger.db', sql)
    const found = await problemAtStart()
    if (code === undefined) expect(['ledger_damaged', 'rollback_detected']).toContain(found)
    else expect(['ledger_damaged', 'rollback_detected']).toContain(found)
  })

  it('reports a missing and an unreadable head', async () => {
    await fill(0, 10)
    const head = readFileSync(at('head'))
    writeFileSync(at('head'), Buffer.alloc(1024))
    expect(await problemAtStart()).toBe('rollback_detected')
    rmSync(at('head'))
    expect(await problemAtStart()).toBe('rollback_detected')
    writeFileSync(at('head'), head)
    expect(await problemAtStart()).toBeUndefined()
  })

  it('reads the older slot of the head when the newer one is torn', async () => {
    await fill(0, 10)
    const head = readFileSync(at('head'))
    const newer = head.readBigUInt64BE(8) > head.readBigUInt64BE(520) ? 0 : 512
    head.fill(0, newer + 40, newer + 60)
    writeFileSync(at('head'), head)
    // The ledger is then ahead of the head, as after a crash between commit and head: accepted.
    const workspace = await folder.open()
    expect(workspace.start.problem).toBeUndefined()
    expect(workspace.start.recovered).toBe(10)
    workspace.close()
  })

  it('reports lost keys and removes the keys of leaves that never were', async () => {
    await fill(0, 10)
    copyFileSync(at('keys.db'), join(folder.state, 'keys'))
    tamper('keys.db', 'DELETE FROM key_block')
    expect(await problemAtStart()).toBe('vault_damaged')
    copyFileSync(join(folder.state, 'keys'), at('keys.db'))
    tamper('keys.db', "INSERT INTO key_block VALUES (10, 5, 'x', zeroblob(8))")
    expect(await problemAtStart()).toBeUndefined()
    const keys = new Database(at('keys.db'), { readonly: true })
    expect(keys.prepare('SELECT max(first_seq) FROM key_block').pluck().get()).toBe(0)
    keys.close()
    tamper(
      'keys.db',
      "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 40) INSERT INTO key_block SELECT 10 + i * 60, 60, 'x', zeroblob(8) FROM n"
    )
    expect(await problemAtStart()).toBe('rollback_detected')
  })

  it('does not start with another keyring or without one', async () => {
    await fill(0, 3)
    const { id } = JSON.parse(readFileSync(at('workspace.json'), 'utf8')) as { id: string }
    rmSync(join(folder.state, `keyring-${id}.json`))
    await expect(folder.open()).rejects.toMatchObject({ code: 'keys_unavailable' })
    writeFileSync(join(folder.state, `keyring-${id}.json`), '{}')
    await expect(folder.open()).rejects.toMatchObject({ code: 'keys_unavailable' })
  })
})
