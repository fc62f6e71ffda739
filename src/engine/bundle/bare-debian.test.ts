// SPDX-License-Identifier: Apache-2.0
// README-VERIFY.txt to the letter in a bare Debian, made for it: what it names has to be all that is needed. As root, with AFFIDAVIT_DEBOOTSTRAP=1.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeCorpus } from '../test/corpus.ts'

const MADE = process.env.AFFIDAVIT_DEBOOTSTRAP === '1'

/** The commands of the text, each on one line: what is indented furthest, and what installs the packages. */
function commandsOf(readme: string): string[] {
  const install = /^On Debian: +(apt-get install .*)$/m.exec(readme)?.[1] ?? ''
  const lines = readme
    .replaceAll(/ *\\\n +/g, ' ')
    .split('\n')
    .filter((line) => /^ {7}\S/.test(line))
    .map((line) => line.trim())
  return [install, ...lines]
}

it.runIf(MADE)('leads to the verdict in a bare Debian', { timeout: 1_800_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-debian-'))
  const root = join(folder, 'root')
  try {
    const [corpus, home] = [join(folder, 'corpus'), join(root, 'root')]
    const cases = await makeCorpus(corpus)
    const stamped = cases.find((one) => one.name === 'with a timestamp')
    const bag = join(corpus, stamped?.folder ?? '')
    const bare = spawnSync('debootstrap', ['--variant=minbase', 'stable', root], { encoding: 'utf8' })
    expect(bare.status, `${bare.stdout}${bare.stderr}`).toBe(0)
    cpSync(join(corpus, stamped?.file ?? ''), join(home, 'given.affidavit.zip'))
    cpSync(join(corpus, 'trust'), join(home, 'confirmed'), { recursive: true })
    mkdirSync(join(home, 'said'))

    const leaf = readFileSync(join(bag, 'data/leaves.jsonl'), 'utf8').split('\n')[0] ?? ''
    const { seq, parts } = JSON.parse(leaf) as { readonly seq: number; readonly parts: readonly { name: string; commit: string }[] }
    const given = (command: string) =>
      command
        .replace('apt-get install', 'apt-get install -y')
        .replace('FILE.affidavit', 'given.affidavit')
        .replace('/path/to/that/folder', '/root/confirmed')
        .replaceAll('SEQ', String(seq))
        .replaceAll('PART', 'request')
    const commands = commandsOf(readFileSync(join(bag, 'README-VERIFY.txt'), 'utf8')).map(given)
    // One byte less in the end, for the verdict that has to change.
    const all = [...commands, 'sed -i s/answer/ANSWER/ data/records.csv data/payload/*.response && sh verify.sh']
    const script = all.map((command, n) => `{ ${command}\n} >/root/said/${n} 2>&1; echo $? >/root/said/${n}.status\n`)
    writeFileSync(join(home, 'follow'), `cd /root\napt-get update >/dev/null\n${script.join('')}`)
    const inside = ['--mount', '--pid', '--fork', `--mount-proc=${join(root, 'proc')}`, 'chroot', root, '/bin/bash', '/root/follow']
    expect(spawnSync('unshare', inside, { encoding: 'utf8', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } }).status).toBe(0)

    const said = all.map((command, n) => ({
      command,
      status: Number(readFileSync(join(home, 'said', `${n}.status`), 'utf8')),
      text: readFileSync(join(home, 'said', String(n)), 'utf8')
    }))
    expect(said.slice(0, -1).filter((one) => one.status !== 0)).toEqual([])
    const answers = (pattern: RegExp) => said.filter((one) => pattern.test(one.command)).map((one) => one.text)
    const verdicts = answers(/sh verify\.sh/).map((text) => text.trim().split('\n').at(-1))
    expect(verdicts).toEqual(['consistent, signer not confirmed', 'valid', 'invalid'])
    expect(said.at(-1)?.status).toBe(1)
    expect(answers(/-Y verify/).join('')).toMatch(/^Good "affidavit-bundle" signature/)
    expect(answers(/pkeyutl/).join('')).toContain('Signature Verified Successfully')
    expect(answers(/openssl ts/).join('')).toContain('Verification: OK')
    expect(answers(/\.opening/).map((text) => text.trim())).toEqual([parts.find((part) => part.name === 'request')?.commit])
    expect(answers(/ssh-keygen -l/).join('')).toMatch(/SHA256:\S+ .*ED25519/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
