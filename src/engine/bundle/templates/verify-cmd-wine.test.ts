// SPDX-License-Identifier: Apache-2.0
// verify.cmd as it lies in bundles, run by the cmd of Wine: no Windows, and certutil, findstr and ssh-keygen are programs that stand in for those
// of Windows (src/engine/test/windows; the last starts the ssh-keygen of this machine). With AFFIDAVIT_WINE=1; with 1/3, 2/3 and 3/3 a third of the
// corpus each, to run beside each other: most of the time goes into starting programs one after the other.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyBundleFile } from '../../../node/verify-file.ts'
import { makeCorpus } from '../../test/corpus.ts'
import type { CorpusCase } from '../../test/corpus-case.ts'
import { missingForWine, type Said, startWine, type Wine } from '../../test/wine.ts'
import { verifyCmd } from './verify-cmd.ts'

const [, slice = 1, slices = 1] = /^(\d+)(?:\/(\d+))?$/.exec(process.env.AFFIDAVIT_WINE ?? '')?.map((text) => Number(text ?? 1)) ?? []
const asked = process.env.AFFIDAVIT_WINE !== undefined
const why = asked ? missingForWine() : 'AFFIDAVIT_WINE is not set'
if (asked && why) console.warn(`verify.cmd is not run: ${why}`)

const NOTHING_FOUND = 'no fault found, 4 steps not checked'
const steps = { 1: '1  Signature of the bundle: ', 2: '2  Both manifests, and no extra files: ' } as const
type Step = keyof typeof steps

/** Steps in which it takes what others do not: cmd reads no line ends. */
const accepts = new Map<string, readonly Step[]>([
  ['the manifests: no last line end in that of the tags, sealed with the real key', [1, 2]],
  ['the manifests: no last line end in that of the data, sealed with the real key', [1, 2]],
  // Step 2 says that the file was changed.
  ['CRLF in the checkpoint', [1]]
])
/** Reasons that it has in place of others. */
const others = new Map([['CRLF in a manifest', 'file_changed']])

/** What was said of a step, and the reasons before it. */
function said(of: Said, step: Step): { readonly state: string; readonly reasons: readonly string[] } {
  const at = of.lines.findIndex((line) => line.startsWith(steps[step]))
  const from = step === 1 ? 0 : of.lines.findIndex((line) => line.startsWith(steps[1])) + 1
  return {
    state: of.lines[at]?.slice(steps[step].length) ?? '',
    reasons: of.lines.slice(from, at).map((line) => line.trim())
  }
}
const codes = (reasons: readonly string[]): string[] => [...new Set(reasons.map((reason) => reason.replace(/:.*/, '')))].sort()
const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort()

describe.skipIf(why !== null)(`verify.cmd in the cmd of Wine${why ? ` (not run: ${why})` : ''}`, { timeout: 7_200_000 }, () => {
  let folder: string
  let wine: Wine
  let cases: readonly CorpusCase[]
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'affidavit-cmd-'))
    cases = await makeCorpus(folder)
    wine = startWine()
  }, 600_000)
  afterAll(() => {
    wine?.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Another copy of the good bundle, in a folder of its own below one that has to stay as it is. */
  let copies = 0
  function copy(name = 'bundle'): string {
    const one = join(folder, `copy ${++copies}`, name)
    cpSync(join(folder, cases[0]?.folder ?? ''), one, { recursive: true })
    return one
  }
  const verify = (one: string): Said => wine.cmd(one, 'verify.cmd')

  /** Lists all files anew and signs as somebody who holds the key that the bundle names. */
  function reseal(
    one: string,
    change: { readonly data?: (lines: string) => string; readonly signers?: (line: string) => string } = {}
  ): void {
    const origin = readFileSync(join(one, 'proof/checkpoint'), 'utf8')
      .split('\n')
      .find((line) => line.startsWith('affidavit.invalid/'))
    const key = join(one, '..', 'key')
    for (const old of [key, `${key}.pub`]) rmSync(old, { force: true })
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', key])
    const signer = `${origin} namespaces="affidavit-bundle" ${readFileSync(`${key}.pub`, 'utf8').trim()}\n`
    writeFileSync(join(one, 'trust/allowed_signers'), change.signers?.(signer) ?? signer)
    const list = (data: boolean) =>
      filesOf(one)
        .filter(
          (name) => name.startsWith('data/') === data && !name.startsWith('tagmanifest-') && (!data || name !== 'manifest-sha256.txt')
        )
        .map(
          (name) =>
            `${createHash('sha256')
              .update(readFileSync(join(one, name)))
              .digest('hex')}  ${name}\n`
        )
        .join('')
    writeFileSync(join(one, 'manifest-sha256.txt'), (change.data ?? String)(list(true)))
    const tags = join(one, 'tagmanifest-sha256.txt')
    writeFileSync(tags, list(false))
    rmSync(`${tags}.sig`, { force: true })
    execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-f', key, '-n', 'affidavit-bundle', tags], { stdio: 'ignore' })
  }

  it('accepts what is good, and of what is false nothing that it can check', async () => {
    const wrong: string[] = []
    /** Said at once: the end is far away. */
    const complain = (what: string): void => {
      console.warn(what)
      wrong.push(what)
    }
    const verdicts = new Map<string, Said>()
    const notRun: string[] = []
    let [accepted, refused] = [0, 0]
    const own = cases.filter((_, n) => n % slices === slice - 1)
    for (const one of own) {
      if (one.folder === null) continue
      const bundle = join(folder, one.folder)
      if (!existsSync(join(bundle, 'verify.cmd')) || readFileSync(join(bundle, 'verify.cmd'), 'utf8') !== verifyCmd) {
        notRun.push(one.name)
        continue
      }
      // Some differ in the keys that were confirmed elsewhere alone, for which verify.cmd does not ask.
      const digest = createHash('sha256')
      for (const name of filesOf(bundle)) digest.update(`${name}\n`).update(readFileSync(join(bundle, name)))
      const same = digest.digest('hex')
      const here = verdicts.get(same) ?? verify(bundle)
      verdicts.set(same, here)
      const report = await verifyBundleFile(join(folder, one.file))
      const found = ([1, 2] as const).map((step) => {
        const { state, reasons } = said(here, step)
        const known = report.steps.find(({ number }) => number === step)
        const taken = accepts.get(one.name)?.includes(step) ?? false
        const fails = known?.state === 'fail' && !taken
        // The name of the log is read by others in step 3, and by verify.cmd for the signature.
        const early = step === 1 && codes(reasons).join() === 'checkpoint_unreadable' && report.verdict === 'invalid'
        if (state !== (fails || early ? 'FAILED' : 'ok'))
          complain(`${one.name}: step ${step} ${state} ${reasons}, expected ${known?.state}`)
        const code = one.step === step && !one.trusted && !one.confirmed && !taken ? one.code : null
        if (code && !codes(reasons).some((other) => [code, one.shellCode, others.get(one.name)].includes(other)))
          complain(`${one.name}: step ${step} says ${reasons}, not ${code}`)
        return state
      })
      const fine = found.every((state) => state === 'ok')
      const end = [here.status, here.lines.at(-1)]
      if (JSON.stringify(end) !== JSON.stringify(fine ? [0, NOTHING_FOUND] : [1, 'invalid']))
        complain(`${one.name}: ${end}\n${here.errors}`)
      if (one.verdict !== 'invalid' && one.verdict !== 'refused' && !fine) complain(`${one.name}: a good one is refused`)
      if (fine) accepted++
      else refused++
    }
    console.log(`verify.cmd: ${accepted} accepted, ${refused} refused; ${verdicts.size} of these bundles differ`)
    expect(wrong).toEqual([])
    // What was changed is the script itself, or it is gone.
    const changed = new Set([
      'one bit of verify.cmd',
      'without verify.cmd',
      'verify.cmd under another name',
      'without verify.cmd, sealed with the real key'
    ])
    expect(cases.filter(({ name }) => changed.has(name))).toHaveLength(changed.size)
    expect(notRun).toEqual(own.map(({ name }) => name).filter((name) => changed.has(name)))
    expect(refused).toBeGreaterThan(80 / slices)
  })

  it('accepts a good one in a folder of any name, from another folder and at the root of a drive', () => {
    const odd = copy("we!rd & ^ (x) 'y'")
    const others = [() => verify(odd), () => wine.cmd(folder, 'Y:\\verify.cmd')]
    wine.drive('y', copy())
    for (const run of others) {
      const here = run()
      expect([here.lines.at(-1), here.status, here.errors], here.lines.join('\n')).toEqual([NOTHING_FOUND, 0, ''])
    }
    const sealed = copy()
    reseal(sealed)
    expect(verify(sealed).lines.at(-1)).toBe(NOTHING_FOUND)
  })

  /** Names that cmd could take for more than names; what is in quotation marks or behind bars cannot be a name on Windows, but in Wine it can. */
  const hostile = [
    ...[
      'a&echo hit>hit.txt&.txt',
      '%PATH%',
      '%~dp0.txt',
      '%f.txt',
      '!cd!.txt',
      '!failed!',
      '^',
      'a^&echo hit>hit.txt',
      'a b',
      '(a)',
      'a) else (b'
    ],
    ...['a;b', 'a=b', "'a'", '`a`', '-a', '@a', '"&echo hit>hit.txt&".txt', '"|echo hit>hit.txt|"', 'a|b', 'a>hit.txt', '*', 'a?', 'C:x']
  ]

  /** Whether a run wrote nothing, and changed nothing, anywhere in the folder around the bundle. */
  function quietly(one: string): Said {
    const around = join(one, '..')
    const state = () => filesOf(around).map((name) => [name, readFileSync(join(around, name)).toString('base64')])
    const before = state()
    const here = verify(one)
    expect(state()).toEqual(before)
    return here
  }

  it('starts and expands nothing of the names of files', () => {
    const one = copy()
    for (const name of hostile) writeFileSync(join(one, 'data', name), 'x')
    for (const name of ['findstr.cmd', 'certutil.bat', 'ssh-keygen.cmd', 'dir.cmd']) writeFileSync(join(one, name), '@echo hit>hit.txt\r\n')
    const { status, lines } = quietly(one)
    expect(status).toBe(1)
    for (const name of hostile) expect(lines).toContain(`   extra_file: data\\${name}`)
    for (const name of ['findstr.cmd', 'certutil.bat', 'ssh-keygen.cmd', 'dir.cmd']) expect(lines).toContain(`   extra_file: ${name}`)
  })

  it('starts and expands nothing of what a manifest says', () => {
    const one = copy()
    for (const name of hostile.filter((other) => !['a b', '-a'].includes(other))) {
      reseal(one, { data: (lines) => `${lines}${'0'.repeat(64)}  data/${name}\n` })
      const here = quietly(one)
      expect(said(here, 1).state, name).toBe('ok')
      expect(said(here, 2), name).toEqual({
        state: 'FAILED',
        reasons: ['manifest_line: a name with other characters than the files of a bundle have']
      })
    }
    const dull: readonly (readonly [name: string, reason: string])[] = [
      ['a b', 'manifest_line: a line of manifest-sha256.txt that is no entry'],
      ['../../outside', 'manifest_line: a line of manifest-sha256.txt that is no entry'],
      ['-a', 'missing: data/-a'],
      ['payload', 'missing: a folder in place of data/payload'],
      ['case.json', 'manifest_line: listed twice: data/case.json']
    ]
    for (const [name, reason] of dull) {
      reseal(one, { data: (lines) => `${lines}${'0'.repeat(64)}  data/${name}\n` })
      const here = quietly(one)
      expect([said(here, 2).state, said(here, 2).reasons], name).toEqual(['FAILED', expect.arrayContaining([reason])])
    }
  })

  it('starts and expands nothing of a checkpoint, and wants its first line', () => {
    const one = copy()
    const path = join(one, 'proof/checkpoint')
    const whole = readFileSync(path, 'utf8')
    const [first = ''] = whole.split('\n')
    const begins = [
      ...[
        '',
        ';',
        `;${first}`,
        `:${first}`,
        ` ${first}`,
        `${first} `,
        `${first}0`,
        first.slice(0, -1),
        first.replace('affidavit', 'Xffidavit')
      ],
      ...[
        '"&echo hit>h.t&"',
        '&echo hit>h.t&rr',
        '!cd!!cd!!cd!!cd!',
        '%CD%%CD%%CD%%CD%',
        '^^^^^^^^^^^^^^^^',
        '0123456789abcdeg',
        '-f /etc/passwd a'
      ].map((id) => `affidavit.invalid/${id}`)
    ]
    // Step 1 is asked about, and step 2 takes nearly all of the time.
    wine.replace('certutil.exe', null)
    try {
      for (const begin of begins) {
        // The name comes in another line, so that nothing else is wrong.
        writeFileSync(path, `${begin}\n${whole}`)
        reseal(one)
        expect(said(quietly(one), 1), begin).toEqual({
          state: 'FAILED',
          reasons: ['checkpoint_unreadable: proof/checkpoint does not begin with the name of a log']
        })
      }
      writeFileSync(path, whole)
      reseal(one)
      expect(said(quietly(one), 1)).toEqual({ state: 'ok', reasons: [] })
    } finally {
      wine.restore('certutil.exe')
    }
  })

  it('sees what the corpus has not', () => {
    const ways: readonly (readonly [name: string, change: (one: string) => void, Step, code: string])[] = [
      [
        'a folder in place of an empty file',
        (one) => {
          expect(statSync(join(one, 'data/alerts.jsonl')).size).toBe(0)
          rmSync(join(one, 'data/alerts.jsonl'))
          mkdirSync(join(one, 'data/alerts.jsonl'))
        },
        2,
        'missing'
      ],
      ['without the tag manifest', (one) => rmSync(join(one, 'tagmanifest-sha256.txt')), 1, 'bundle_signature'],
      ['without the tag manifest', (one) => rmSync(join(one, 'tagmanifest-sha256.txt')), 2, 'missing'],
      ['without the signature', (one) => rmSync(join(one, 'tagmanifest-sha256.txt.sig')), 2, 'missing'],
      ['a name that looks the same in the code page', (one) => writeFileSync(join(one, '\uff42agit.txt'), 'x'), 2, 'extra_file'],
      ['a name that differs in case only', (one) => writeFileSync(join(one, 'BAGIT.TXT'), 'x'), 2, 'extra_file'],
      ['a hidden file', (one) => writeFileSync(join(one, 'data/.hidden'), 'x'), 2, 'extra_file'],
      ...['data/payload/evil.exe', 'data/x001/leaves.jsonl', 'data/tile/0/x01/001', 'verify2.cmd'].map(
        (name) =>
          [
            `${name}, listed`,
            (one: string) => {
              mkdirSync(join(one, name, '..'), { recursive: true })
              writeFileSync(join(one, name), 'x')
              reseal(one)
            },
            2,
            'extra_file'
          ] as const
      )
    ]
    for (const [name, change, step, code] of ways) {
      const one = copy()
      change(one)
      const here = verify(one)
      expect([here.status, here.lines.at(-1), said(here, step).state], name).toEqual([1, 'invalid', 'FAILED'])
      expect(codes(said(here, step).reasons), name).toContain(code)
    }
  })

  it('takes no program that fails for one that agrees, and says which one it has not', () => {
    const one = copy()
    try {
      wine.replace('OpenSSH/ssh-keygen.exe', 'breaks-off.c')
      expect([said(verify(one), 1).state, verify(one).status]).toEqual(['FAILED', 1])
      wine.replace('OpenSSH/ssh-keygen.exe', 'old-ssh-keygen.c')
      expect(verify(one).lines).toEqual(
        expect.arrayContaining([`${steps[1]}not checked here, it needs ssh-keygen of OpenSSH 8.2 or newer`])
      )
      wine.replace('certutil.exe', null)
      wine.replace('OpenSSH/ssh-keygen.exe', null)
      const without = verify(one)
      expect([without.status, without.lines.at(-1)]).toEqual([0, 'no fault found, 6 steps not checked'])
      wine.restore('OpenSSH/ssh-keygen.exe')
      wine.replace('certutil.exe', 'breaks-off.c')
      expect(said(verify(one), 2)).toEqual({ state: 'FAILED', reasons: expect.arrayContaining(['file_changed: data/case.json']) })
      wine.restore('certutil.exe')
      wine.replace('findstr.exe', 'breaks-off.c')
      expect(verify(one).status).not.toBe(0)
      wine.replace('findstr.exe', null)
      expect([verify(one).status, verify(one).lines]).toEqual([2, ['missing: findstr']])
    } finally {
      for (const name of ['OpenSSH/ssh-keygen.exe', 'certutil.exe', 'findstr.exe'] as const) wine.restore(name)
    }
  })
})
