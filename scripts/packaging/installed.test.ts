// SPDX-License-Identifier: Apache-2.0
// The package for Debian, installed in a bare one that is made for it, used there as an ordinary user, and removed. As root, with AFFIDAVIT_DIST=1.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { packageApp } from './package.ts'

const MADE = process.env.AFFIDAVIT_DIST === '1'

/** Each has a name under which its output and its status are kept. */
const steps: readonly (readonly [name: string, command: string])[] = [
  ['install', 'apt-get update >/dev/null && apt-get install -y --no-install-recommends ./affidavit.deb'],
  ['system', '. /etc/os-release && echo "$PRETTY_NAME"'],
  // Before anything else brings libraries along: what the package depends on has to be all that the app needs.
  ['libraries', 'ldd /usr/lib/affidavit/affidavit-desktop'],
  ['sandbox', "stat -c '%a %U' /usr/lib/affidavit/chrome-sandbox"],
  ['version', 'affidavit --version'],
  ['tools', 'apt-get install -y --no-install-recommends desktop-file-utils shared-mime-info xdg-utils libglib2.0-bin xvfb xauth procps'],
  ['desktop file', 'desktop-file-validate /usr/share/applications/affidavit.desktop'],
  ['user', 'useradd --create-home auditor'],
  ['sample', "su auditor -c 'affidavit sample --workspace ~/sample --records 20'"],
  ['export', "su auditor -c 'affidavit export --workspace ~/sample --recipient Examiner --purpose test --out ~/a.affidavit.zip'"],
  ['copy', 'cp ~auditor/a.affidavit.zip ~auditor/b.affidavit && cp ~auditor/a.affidavit.zip ~auditor/c.zip'],
  ['type by name', 'gio info -a standard::content-type ~auditor/a.affidavit.zip ~auditor/b.affidavit ~auditor/c.zip | grep content-type:'],
  ['type', "su auditor -c 'XDG_CURRENT_DESKTOP=GNOME xdg-mime query filetype ~/a.affidavit.zip'"],
  ['handler', "su auditor -c 'xdg-mime query default application/vnd.affidavit.bundle+zip'"],
  ['verify', "su auditor -c 'affidavit verify ~/a.affidavit.zip'"],
  ['window', "su auditor -c 'sh /root-steps/window'"],
  ['remove', 'apt-get remove -y affidavit && ! test -e /usr/lib/affidavit && ! test -e /usr/bin/affidavit'],
  ['type afterwards', 'gio info -a standard::content-type ~auditor/a.affidavit.zip | grep content-type:'],
  ['what stays', 'test -f ~auditor/sample/ledger.db && ls -d ~auditor/.config/Affidavit*/workspaces/default/ledger.db']
]

/** Opened as the desktop does it, with the command of the desktop file, under the full sandbox; ended by the window's program. */
const windowScript = `cd
export COMPLIANCE_API_PORT=0 DRIFT_API_PORT=0
command=$(sed -n 's/^Exec=\\(.*\\) %F$/\\1/p' /usr/share/applications/affidavit.desktop)
xvfb-run -a "$command" "$HOME/a.affidavit.zip" >window.log 2>&1 &
n=0
until ls .config/Affidavit*/workspaces/default/endpoint.json 2>/dev/null; do n=$((n+1)); [ $n -gt 300 ] && break; sleep 0.2; done
sleep 3
pgrep -a affidavit-deskt
grep -h '^Seccomp:' $(pgrep affidavit-deskt | sed 's,.*,/proc/&/status,') | sort | uniq -c
pkill -TERM -o affidavit-deskt
wait
cat window.log
! pgrep -a affidavit-deskt
`

it.runIf(MADE)('is installed in a bare Debian, used by an ordinary user, and removed', { timeout: 1_800_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-installed-'))
  const root = join(folder, 'root')
  try {
    const output = join(folder, 'dist')
    await packageApp({ output, unpackedOnly: false })
    const made = readdirSync(output)
    const sums = spawnSync('sha256sum', ['--check', 'SHA256SUMS'], { cwd: output, encoding: 'utf8' })
    expect(sums.status, sums.stderr).toBe(0)
    const bare = spawnSync('debootstrap', ['--variant=minbase', 'stable', root], { encoding: 'utf8' })
    expect(bare.status, `${bare.stdout}${bare.stderr}`).toBe(0)
    copyFileSync(join(output, made.find((name) => name.endsWith('.deb')) ?? ''), join(root, 'root', 'affidavit.deb'))
    const at = join(root, 'root-steps')
    mkdirSync(at)
    writeFileSync(join(at, 'window'), windowScript)
    const script = steps.map(([, command], n) => `{ ${command}\n} >/root-steps/${n} 2>&1; echo $? >/root-steps/${n}.status\n`)
    writeFileSync(join(at, 'all'), `export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8\ncd /root\n${script.join('')}`)
    // Its own devices and shared memory, gone with the namespace.
    const enter = `mount --rbind /dev ${root}/dev && mount -t tmpfs -o mode=1777 tmpfs ${root}/dev/shm && exec chroot ${root} /bin/bash /root-steps/all`
    const inside = ['--mount', '--pid', '--fork', `--mount-proc=${join(root, 'proc')}`, 'sh', '-c', enter]
    expect(spawnSync('unshare', inside, { encoding: 'utf8', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } }).status).toBe(0)

    const said = new Map(steps.map(([name], n) => [name, readFileSync(join(at, String(n)), 'utf8').trim()]))
    const failed = steps
      .filter((_, n) => readFileSync(join(at, `${n}.status`), 'utf8').trim() !== '0')
      .map(([name]) => `${name}: ${said.get(name)}`)
    expect(failed).toEqual([])
    expect(said.get('libraries')).not.toContain('not found')
    expect(said.get('sandbox')).toBe('4755 root')
    expect(said.get('desktop file')).toBe('')
    const types = said
      .get('type by name')
      ?.split('\n')
      .map((line) => line.split(': ')[1])
    expect(types).toEqual(['application/vnd.affidavit.bundle+zip', 'application/vnd.affidavit.bundle+zip', 'application/zip'])
    expect(said.get('type')).toBe('application/vnd.affidavit.bundle+zip')
    expect(said.get('handler')).toBe('affidavit.desktop')
    expect(said.get('verify')).toMatch(/consistent, signer not confirmed$/)
    console.log(said.get('system'))
    expect(said.get('window')).toMatch(/affidavit-desktop --type=renderer/)
    expect(said.get('window')).toContain('"event":"engine.stopped"')
    // Pages run behind filters of system calls (2), which they do not with --no-sandbox.
    expect(said.get('window')).toMatch(/Seccomp:\s+2/)
    expect(said.get('window')).not.toContain('--no-sandbox')
    expect(said.get('type afterwards')).toContain('application/zip')
    expect(existsSync(join(root, 'usr/share/applications/affidavit.desktop'))).toBe(false)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
