// SPDX-License-Identifier: Apache-2.0
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bodyOf } from '../catalog/project-event.ts'
import { signed } from '../test/checkpoints.ts'
import { PayloadReader } from '../vault/payload-reader.ts'
import { acceptStart, choose, waitingChoice } from './continue.ts'
import { lockWorkspace, workspacePaths } from './paths.ts'
import { drafts, type TestFolder, testFolder, writerOf } from './test-workspace.ts'

let folder: TestFolder
beforeEach(() => {
  folder = testFolder()
})
afterEach(() => folder.remove())

const at = (name: string) => join(folder.workspace, name)
const kept = (name: string) => join(folder.state, name)

/** Appends, signs a checkpoint and closes cleanly. */
async function fill(from: number, count: number): Promise<void> {
  const workspace = await folder.open()
  await writerOf(workspace).append(drafts(from, count))
  const note = signed(workspace)
  workspace.saveHead(writerOf(workspace).tree(), note)
  workspace.close()
}

async function problemAtStart() {
  const workspace = await folder.open()
  try {
    const { problem } = workspace.start
    // Read-only means that there is no writer at all.
    expect(workspace.ledger === null).toBe(problem !== undefined)
    return problem
  } finally {
    workspace.close()
  }
}

const codeAtStart = async () => (await problemAtStart())?.code

/** Changes a database behind the program's back. */
function tamper(name: string, sql: string): void {
  const db = new Database(at(name))
  db.unsafeMode(true)
  db.exec(sql)
  db.close()
}

const keyring = () => {
  const { id } = JSON.parse(readFileSync(at('workspace.json'), 'utf8')) as { id: string }
  return join(folder.state, `keyring-${id}.json`)
}

const stashFolder = (name: string) => cpSync(folder.workspace, kept(name), { recursive: true })
function bringBack(name: string): void {
  rmSync(folder.workspace, { recursive: true })
  cpSync(kept(name), folder.workspace, { recursive: true })
}

/** What a power cut leaves behind: the files as they are while the engine runs. */
async function cutPower(damage: () => void): Promise<void> {
  await fill(0, 5)
  const workspace = await folder.open()
  for (let from = 5; from < 25; from += 5) await writerOf(workspace).append(drafts(from, 5))
  const files = ['ledger.db', 'ledger.db-wal', 'keys.db', 'keys.db-wal', 'head']
  for (const name of files) copyFileSync(at(name), kept(name))
  workspace.close()
  for (const name of files) copyFileSync(kept(name), at(name))
  damage()
}

const half = (name: string) => truncateSync(at(name), Math.floor(statSync(at(name)).size / 2))
function flip(name: string, share: number): void {
  const bytes = readFileSync(at(name))
  const byte = Math.floor(bytes.length * share)
  bytes[byte] = (bytes[byte] ?? 0) ^ 4
  writeFileSync(at(name), bytes)
}

/** Another history: the folder as it was at 10 leaves goes another way to 20, with the same keys. */
async function fork(): Promise<void> {
  await fill(0, 10)
  stashFolder('early')
  await fill(10, 10)
  stashFolder('first')
  bringBack('early')
  copyFileSync(kept('heads.json'), kept('heads-20.json'))
  rmSync(kept('heads.json'))
  await fill(500, 10)
  copyFileSync(kept('heads-20.json'), kept('heads.json'))
}

interface Case {
  readonly what: string
  readonly damage: () => Promise<void> | void
  readonly code: string
  readonly trusted: number | null
  readonly goesOn: boolean
}

const cases: readonly Case[] = [
  {
    what: 'an older copy of the ledger',
    damage: async () => {
      await fill(0, 10)
      copyFileSync(at('ledger.db'), kept('old'))
      await fill(10, 10)
      copyFileSync(kept('old'), at('ledger.db'))
    },
    code: 'rollback_detected',
    trusted: 10,
    goesOn: true
  },
  {
    what: 'an older copy of the whole folder',
    damage: async () => {
      await fill(0, 10)
      stashFolder('copy')
      await fill(10, 10)
      bringBack('copy')
    },
    code: 'rollback_detected',
    trusted: 10,
    goesOn: true
  },
  {
    what: 'an empty folder in place of the old one',
    damage: async () => {
      await fill(0, 10)
      for (const name of ['ledger.db', 'keys.db', 'head', 'anchors/checkpoint']) rmSync(at(name), { force: true })
    },
    code: 'rollback_detected',
    trusted: null,
    goesOn: true
  },
  {
    what: 'a truncated WAL of the ledger',
    damage: () => cutPower(() => half('ledger.db-wal')),
    code: 'rollback_detected',
    trusted: 5,
    goesOn: true
  },
  {
    what: 'a flipped bit in the WAL of the ledger',
    damage: () => cutPower(() => flip('ledger.db-wal', 0.4)),
    code: 'rollback_detected',
    trusted: 5,
    goesOn: true
  },
  {
    what: 'a truncated WAL of the keys',
    damage: () => cutPower(() => half('keys.db-wal')),
    code: 'vault_damaged',
    trusted: 5,
    goesOn: true
  },
  {
    what: 'a flipped bit in the WAL of the keys',
    damage: () => cutPower(() => flip('keys.db-wal', 0.4)),
    code: 'vault_damaged',
    trusted: 5,
    goesOn: true
  },
  { what: 'a fork that this machine remembers', damage: fork, code: 'fork_detected', trusted: 20, goesOn: true },
  {
    what: 'a fork against a checkpoint kept in anchors',
    damage: async () => {
      await fork()
      rmSync(kept('heads.json'))
      copyFileSync(join(kept('first'), 'anchors', 'checkpoint'), at('anchors/checkpoint-20'))
    },
    code: 'fork_detected',
    trusted: 20,
    goesOn: true
  },
  {
    what: 'a missing head',
    damage: async () => {
      await fill(0, 10)
      rmSync(at('head'))
    },
    code: 'head_missing',
    trusted: 10,
    goesOn: true
  },
  {
    what: 'an unreadable head',
    damage: async () => {
      await fill(0, 10)
      writeFileSync(at('head'), Buffer.alloc(1024))
    },
    code: 'head_missing',
    trusted: 10,
    goesOn: true
  },
  {
    what: 'a missing keyring',
    damage: async () => {
      await fill(0, 10)
      rmSync(keyring())
    },
    code: 'keys_missing',
    trusted: 10,
    goesOn: false
  },
  {
    what: 'a damaged keyring',
    damage: async () => {
      await fill(0, 10)
      writeFileSync(keyring(), '{}')
    },
    code: 'keys_missing',
    trusted: 10,
    goesOn: false
  },
  {
    what: 'the keyring of another workspace',
    damage: async () => {
      await fill(0, 10)
      const other = testFolder()
      ;(await other.open()).close()
      const name = readdirSync(other.state).find((one) => one.startsWith('keyring-')) ?? ''
      copyFileSync(join(other.state, name), keyring())
      other.remove()
    },
    code: 'keys_missing',
    trusted: 10,
    goesOn: false
  },
  {
    what: 'lost keys',
    damage: async () => {
      await fill(0, 10)
      tamper('keys.db', 'DELETE FROM key_block')
    },
    code: 'vault_damaged',
    trusted: 10,
    goesOn: true
  },
  {
    what: 'a changed leaf behind the last checkpoint',
    damage: async () => {
      await fill(0, 9)
      const workspace = await folder.open()
      await writerOf(workspace).append(drafts(9, 3))
      workspace.close()
      tamper(
        'ledger.db',
        "DROP TRIGGER leaf_no_update; UPDATE leaf SET bytes = CAST(replace(CAST(bytes AS TEXT), 'success', 'incompl') AS BLOB) WHERE seq = 10"
      )
    },
    code: 'ledger_damaged',
    trusted: 9,
    goesOn: false
  },
  {
    what: 'a dropped trigger',
    damage: async () => {
      await fill(0, 10)
      tamper('ledger.db', 'DROP TRIGGER leaf_no_delete')
    },
    code: 'schema_changed',
    trusted: 10,
    goesOn: true
  },
  {
    what: 'leaves that somebody else appended',
    damage: async () => {
      await fill(0, 8)
      tamper('ledger.db', 'INSERT INTO leaf VALUES (8, CAST(\'{"forged":true}\' AS BLOB)); INSERT INTO payload VALUES (8, zeroblob(40))')
      tamper('keys.db', "INSERT INTO key_block VALUES (8, 1, 'x', zeroblob(60))")
    },
    code: 'unacknowledged_leaves',
    trusted: 8,
    goesOn: true
  }
]

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
    expect(await codeAtStart()).toBeUndefined()
  })

  it('leaves the name of a new workspace to whoever holds its lock, so that its keys are found again', async () => {
    const paths = workspacePaths(folder.workspace)
    mkdirSync(folder.workspace)
    const other = lockWorkspace(paths)
    await expect(folder.open()).rejects.toMatchObject({ code: 'workspace_locked' })
    expect(existsSync(paths.description)).toBe(false)
    other.close()
    expect(await codeAtStart()).toBeUndefined()
  })

  it.each(cases)('names $what, says what can be trusted and opens read-only', async ({ damage, code, trusted, goesOn }) => {
    await damage()
    const problem = await problemAtStart()
    expect(problem).toMatchObject({ code, trusted_size: trusted, can_continue: goesOn })
    expect(problem?.message).toContain(trusted === null ? 'No signed checkpoint vouches' : `The leaves up to ${trusted - 1} can be trusted`)
    expect(problem?.message).toMatch(/[Rr]estore/)
    // Looking at it changes nothing: the next start finds the same.
    expect(await problemAtStart()).toEqual(problem)
  })

  it('does not mistake an unclean end for damage', async () => {
    await cutPower(() => {})
    expect(await codeAtStart()).toBeUndefined()
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

  it('removes the keys of leaves that never were, of one group and no more', async () => {
    await fill(0, 10)
    tamper('keys.db', "INSERT INTO key_block VALUES (10, 5, 'x', zeroblob(8))")
    expect(await codeAtStart()).toBeUndefined()
    const keys = new Database(at('keys.db'), { readonly: true })
    expect(keys.prepare('SELECT max(first_seq) FROM key_block').pluck().get()).toBe(0)
    keys.close()
    tamper(
      'keys.db',
      "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 40) INSERT INTO key_block SELECT 10 + i * 60, 60, 'x', zeroblob(8) FROM n"
    )
    expect(await codeAtStart()).toBe('rollback_detected')
  })

  it('says that the memory of heads cannot be read, to every log, and overwrites none of it', async () => {
    await fill(0, 10)
    const [origin] = Object.keys(JSON.parse(readFileSync(kept('heads.json'), 'utf8')) as object)
    writeFileSync(kept('heads.json'), `{"${origin}": {"size": 10, "ro`)
    const torn = readFileSync(kept('heads.json'))
    const before = await folder.open()
    expect(before.start.problem).toMatchObject({ code: 'head_copy_lost', trusted_size: 10, can_continue: true })
    expect(() => before.saveHead({ size: 10, root: new Uint8Array(32) })).toThrow('cannot be read')
    before.close()
    expect(readFileSync(kept('heads.json'))).toEqual(torn)
    const again = await goOn('the file was torn')
    expect(again.size).toBe(11)
    again.close()
    const aside = readdirSync(folder.state).find((name) => name.startsWith('heads.json.unreadable-')) ?? ''
    expect(readFileSync(kept(aside))).toEqual(torn)
    expect(await codeAtStart()).toBeUndefined()
    // The memory of another log was lost with it: that one says so too.
    writeFileSync(kept('heads.json'), '{}')
    expect(await codeAtStart()).toBe('head_copy_lost')
  })

  it('says which file cannot be opened at all', async () => {
    await fill(0, 3)
    writeFileSync(at('ledger.db'), Buffer.alloc(8192, 7))
    await expect(folder.open()).rejects.toMatchObject({ code: 'workspace_damaged', message: expect.stringContaining('ledger.db') })
  })
})

const local = { ref: 'local', kind: 'human' } as const
/** What is waiting in the state folder, as a file. */
const choices = () => (existsSync(kept('continue.json')) ? readFileSync(kept('continue.json'), 'utf8') : '{}')

/** Chooses to go on, as the operation does, and opens again. */
async function goOn(reason: string) {
  const before = await folder.open()
  choose(before.state, before.identity.origin, before.start, local, reason)
  before.close()
  return folder.open()
}

describe('going on from what was found', () => {
  it.each(cases.filter((one) => one.goesOn))(
    'after $what is recorded before anything else; nothing is removed',
    async ({ damage, code }) => {
      await damage()
      const { size, blocks } = await found()
      const workspace = await goOn('the disk was replaced, see ticket 7')
      expect(workspace.start.problem).toBeUndefined()
      const ledger = writerOf(workspace)
      expect(ledger.size).toBe(size + 1)
      const leaf = JSON.parse(
        String(workspace.ledgerDb.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck().get(size))
      ) as Record<string, unknown>
      expect(leaf).toMatchObject({
        type: 'rollback.detected',
        seq: size,
        actor: { ref: 'local' },
        data: { reason: code, found_size: size }
      })
      expect(JSON.stringify(leaf)).not.toContain('ticket')
      const keys = new Database(at('keys.db'), { readonly: true })
      const body = bodyOf(new PayloadReader(workspace.ledgerDb, keys as never, workspace.identity.keks), size)
      expect(body).toMatchObject({ reason: 'the disk was replaced, see ticket 7' })
      const held = keys.prepare<[], Buffer>('SELECT ct FROM key_block UNION SELECT ct FROM key_aside').pluck().all().map(String)
      for (const block of blocks) expect(held).toContain(block)
      keys.close()
      await ledger.append(drafts(900, 3))
      workspace.saveHead(ledger.tree(), signed(workspace))
      workspace.close()
      expect(await codeAtStart()).toBeUndefined()
      expect(JSON.parse(choices())).toEqual({})
    }
  )

  it('is carried out once, also when a crash came in between', async () => {
    await fill(0, 10)
    rmSync(at('head'))
    const first = await folder.open()
    choose(first.state, first.identity.origin, first.start, local, 'once')
    const choice = choices()
    first.close()
    const second = await folder.open()
    expect(second.size).toBe(11)
    second.close()
    // The head was written, the leaf too, the choice not yet forgotten.
    writeFileSync(kept('continue.json'), choice)
    const third = await folder.open()
    expect(third.size).toBe(11)
    expect(waitingChoice(third.state, third.identity.origin)).toBeUndefined()
    third.close()
  })

  it.each(['before the leaf', 'before the memory was set'])('is carried out after a crash %s', async (when) => {
    await fill(0, 10)
    stashFolder('copy')
    await fill(10, 10)
    bringBack('copy')
    const first = await folder.open()
    choose(first.state, first.identity.origin, first.start, local, 'the disk was replaced')
    const { identity, ledgerDb, keysDb } = first
    const input = {
      paths: first.paths,
      state: first.state,
      ledger: ledgerDb,
      keys: keysDb,
      origin: identity.origin,
      logPublicKeys: identity.publicKeys('log'),
      keks: identity.keks,
      keysMade: false
    }
    const { tree } = acceptStart(input, first.start)
    if (when === 'before the leaf' && tree) first.saveHead(tree)
    first.close()
    const second = await folder.open()
    expect(second.start.problem).toBeUndefined()
    expect(second.size).toBe(11)
    expect(JSON.parse(choices())).toEqual({})
    second.close()
    expect(await codeAtStart()).toBeUndefined()
  })

  it('is not taken from the folder, nor for anything else than what was found', async () => {
    await fill(0, 10)
    stashFolder('at 10')
    await fill(10, 5)
    stashFolder('at 15')
    await fill(15, 5)
    bringBack('at 10')
    const first = await folder.open()
    choose(first.state, first.identity.origin, first.start, local, 'the disk was replaced')
    first.close()
    const choice = choices()
    const [entry] = Object.values(JSON.parse(choice) as Record<string, object>)
    rmSync(kept('continue.json'))

    // Planted in the folder that was rolled back, in the form that is kept outside and in the one of a single choice.
    for (const planted of [choice, JSON.stringify(entry), JSON.stringify({ v: 1, ...entry })]) {
      writeFileSync(at('continue.json'), planted)
      expect(await problemAtStart()).toMatchObject({ code: 'rollback_detected' })
    }

    // Chosen for another tree: the folder was replaced since.
    bringBack('at 15')
    writeFileSync(kept('continue.json'), choice)
    expect(await problemAtStart()).toMatchObject({ code: 'rollback_detected' })
    expect(JSON.parse(choices())).toEqual({})

    // Chosen before something else was found as well.
    bringBack('at 10')
    writeFileSync(kept('continue.json'), choice)
    tamper('ledger.db', 'DROP TRIGGER leaf_no_delete')
    expect((await problemAtStart())?.findings.map((one) => one.code)).toContain('schema_changed')
    expect(JSON.parse(choices())).toEqual({})

    // Nothing is wrong: nobody went on from anything.
    bringBack('at 15')
    rmSync(kept('heads.json'))
    writeFileSync(kept('continue.json'), choice)
    const whole = await folder.open()
    expect(whole.size).toBe(15)
    whole.close()
  })

  it('is refused where the tree does not hold together', async () => {
    const damaged = cases.find((one) => one.code === 'ledger_damaged')
    await damaged?.damage()
    const workspace = await folder.open()
    expect(workspace.start.problem).toMatchObject({ code: 'ledger_damaged', can_continue: false })
    expect(() => choose(workspace.state, workspace.identity.origin, workspace.start, local, 'anyway')).toThrow('nothing to choose')
    expect(workspace.ledger).toBeNull()
    workspace.close()
  })
})

async function found() {
  const workspace = await folder.open()
  const { size } = workspace
  workspace.close()
  const keys = new Database(at('keys.db'), { readonly: true })
  const blocks = keys.prepare<[], Buffer>('SELECT ct FROM key_block').pluck().all().map(String)
  keys.close()
  return { size, blocks }
}
