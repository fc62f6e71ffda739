// SPDX-License-Identifier: Apache-2.0
// The text and the patterns are held against what a hostile bundle could say, nothing is run; verify-cmd-wine.test.ts runs it, in Wine.
import { describe, expect, it } from 'vitest'
import { isLayoutName, required } from '../../../shared/evidence/bundle-layout.ts'
import { originOf } from '../../../shared/evidence/note.ts'
import { sha256 } from '../../crypto.ts'
import { verifyCmd } from './verify-cmd.ts'

const lines = verifyCmd.split('\r\n')
const layout = [...required, 'verify.html', 'data/payload/7.scope.0.opening', 'data/tile/0/x001/234.p/56', 'data/payloads/00000.jsonl']

describe('verify.cmd', () => {
  it('expands nothing of a bundle before a line is parsed', () => {
    const expanded = [...verifyCmd.matchAll(/%(?!%)([A-Za-z_~][A-Za-z0-9_~]*)%?/g)].map(([, name = '']) => name)
    // Loop variables are written with two signs; these are set by Windows or by the script itself.
    const loops = new Set(['p', 's', 'a', 'b', 'r', 'm', 'l', 'n', 'f', 'c', 't', '~af', '~zf'])
    expect([...new Set(expanded)].filter((name) => !loops.has(name)).sort()).toEqual([
      'SystemRoot',
      'certutil',
      'findstr',
      'keygen',
      'skip',
      '~dp0'
    ])
    // What is read of the checkpoint is read before exclamation marks mean anything.
    const read = lines.findIndex((line) => line.includes('proof\\checkpoint'))
    expect(read).toBeLessThan(lines.indexOf('setlocal EnableDelayedExpansion'))
  })

  it('starts programs by their full paths only', () => {
    expect(verifyCmd).not.toMatch(/^\s*(ssh-keygen|certutil|findstr|find|where)\b/m)
    expect(verifyCmd).toMatch(/^set "keygen=%SystemRoot%\\System32\\OpenSSH\\ssh-keygen\.exe"$/m)
  })

  it('knows the length of the name of a log, and asks for hex digits', () => {
    const origin = originOf(sha256, Buffer.alloc(32, 1))
    expect([origin.slice(0, 18), origin.length]).toEqual(['affidavit.invalid/', 34])
    // Behind the number of the line and a colon; as long as its first 36 characters, and longer than its first 35.
    expect(`1:${origin}`.slice(0, 20)).toBe('1:affidavit.invalid/')
    expect(`1:${origin}`).toHaveLength(36)
    expect(verifyCmd).toContain('"!first:~0,20!"=="1:affidavit.invalid/" if "!first:~0,36!"=="!first!" if not "!first:~0,35!"=="!first!" (')
    const removed = [...verifyCmd.matchAll(/^ {2}if defined rest set "rest=!rest:(.)=!"$/gm)].map(([, digit]) => digit)
    expect(removed.join('')).toBe('0123456789abcdef')
    expect(origin.slice(18)).toMatch(/^[0123456789abcdef]+$/)
    const used = lines.findIndex((line) => line.includes('-I !principal!'))
    expect(used).toBeGreaterThan(lines.findIndex((line) => line.includes('if !wrong!==1')))
  })

  it('takes every name of the layout, and none that says more than a name', () => {
    const refused = new RegExp(/\/c:"(\[\^[^"]+\])"/.exec(verifyCmd)?.[1] ?? '')
    for (const name of layout) {
      expect(isLayoutName(name), name).toBe(true)
      expect(refused.test(`${'0'.repeat(64)}  ${name}`), name).toBe(false)
    }
    for (const name of ['a"&calc&".txt', 'a%PATH%', 'a!principal!', 'a^b', "a'b", 'a|b', 'a>b', '(a)', 'C:\\x', 'a;b', 'ä', '`x`'])
      expect(refused.test(name), name).toBe(true)
    // Whoever finds one reads no name at all.
    expect(lines.findIndex((line) => line.includes('goto listed'))).toBeLessThan(
      lines.findIndex((line) => line.includes('certutil% -hashfile'))
    )
    for (const check of ['"!name:..=!"', '"!name:~0,1!"=="/"', '"!name: =!"']) expect(verifyCmd).toContain(check)
  })

  it('has a place for every name of the layout, and every line ends as cmd needs it', () => {
    const places = new Set(/^for %%r in \(([^)]+)\) do set "place_%%r=1"$/m.exec(verifyCmd.replaceAll('\r', ''))?.[1]?.split(' '))
    const shape = (name: string) => {
      const zeros = name.replaceAll('/', '\\').replaceAll(/[1-9]/g, '0')
      return (name.startsWith('data/tile/') ? zeros.replaceAll('\\x000\\', '\\') : zeros).replaceAll(/0+/g, '0')
    }
    for (const name of layout.filter((one) => !one.startsWith('tagmanifest-')))
      expect(places.has(name.replaceAll('/', '\\')) || places.has(shape(name)), name).toBe(true)
    for (const name of [
      'proof/checkpoint.sshsig',
      'data/evil.exe',
      'data/payload/7.answer',
      'data/tile/0/x01/234',
      'data/x001/leaves.jsonl'
    ])
      expect(places.has(shape(name)), name).toBe(false)
    expect(verifyCmd.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
  })

  it('names files that are not listed, and what it did not check', () => {
    expect(verifyCmd).toContain('echo    extra_file: !file!')
    for (const step of [1, 2, 3, 4, 5, 6])
      expect(lines.filter((line) => line.includes(`echo ${step}  `)).join('')).toMatch(/not checked here/)
    expect(verifyCmd).toContain('verify.html')
    expect(lines.at(-3)).toBe('echo no fault found, !unchecked! steps not checked')
  })
})
