// SPDX-License-Identifier: Apache-2.0
import type { KeyReport } from '../../shared/contract/keys.ts'
import { type Markup, markup } from '../../shared/report/markup.ts'
import { factTable, numberedList, paragraph, reportPage, section, signatureLines } from '../../shared/report/page.ts'

/** Groups of four, four groups to a line: for reading aloud and finding one's place again. */
const spoken = (hex: string): Markup =>
  markup`<pre>${hex.replace(/(.{4})(?=.)/g, '$1 ').replace(/((?:.{5}){4})/g, (line) => `${line.trimEnd()}\n`)}</pre>`

/** The fingerprints of the signing keys in use, as a page to hand over by another way than the bundles. */
export function fingerprintsPage({ origin, keys }: KeyReport, name: string, written: string): string {
  const inUse = (use: 'log' | 'export', title: string) =>
    keys
      .filter((key) => key.use === use && key.state === 'in_use' && key.fingerprint !== null)
      .map((key) =>
        section(
          title,
          paragraph(`SHA-256 of the public key, in use since ${key.added.slice(0, 10)}:`),
          spoken(key.fingerprint ?? ''),
          factTable([['Id', key.id]])
        )
      )
  return reportPage({
    title: 'Fingerprints of the keys of a log',
    sub: `${name}, log ${origin}. Printed ${written.slice(0, 10)} ${written.slice(11, 19)} UTC.`,
    body: [
      ...inUse('log', 'Log key, signs checkpoints'),
      ...inUse('export', 'Export key, signs bundles'),
      section(
        'How to compare',
        numberedList([
          'Hand this page over, or read the fingerprints out, by another way than the bundles go: a copy inside a bundle proves nothing by itself.',
          'Whoever verifies a bundle compares every group with what the verifier shows. One group that differs is another key.',
          'A new key is signed by the one before it: who confirmed these follows to later ones.'
        ])
      ),
      signatureLines('Read out or handed over by, date', 'Compared by, date')
    ]
  })
}
