// SPDX-License-Identifier: Apache-2.0
import type { KeyReport } from '../../shared/contract/keys.ts'

const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)

/** Groups of four, for reading aloud. */
const grouped = (hex: string): string => hex.match(/.{1,4}/g)?.join(' ') ?? hex
const moment = (time: string | null): string => (time === null ? '' : `${time.slice(0, 19).replace('T', ' ')} UTC`)
const names: Record<KeyReport['keys'][number]['use'], string> = {
  log: 'Log key (signs checkpoints)',
  export: 'Export key (signs bundles)',
  'key-encryption': 'Key-encryption key (wraps the keys of contents)',
  witness: 'Witness key (cosigns other logs)'
}
const states: Record<KeyReport['keys'][number]['state'], string> = { in_use: 'in use', retired: 'retired', revoked: 'revoked' }

const row = (cells: readonly string[], tag: 'td' | 'th' = 'td'): string =>
  `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`

/** The key report as one HTML page without scripts. */
export function keyReportHtml(report: KeyReport, written: string): string {
  const keys = report.keys.map((key) =>
    row([
      names[key.use],
      key.id,
      key.fingerprint === null ? '' : grouped(key.fingerprint),
      states[key.state],
      moment(key.added),
      moment(key.retired),
      key.revoked === null ? '' : `leaf ${key.revoked.seq}: ${key.revoked.reason}`
    ])
  )
  const history = report.history.map((event) =>
    row([String(event.seq), moment(event.time), event.actor, `${event.what}: ${names[event.use]}`, event.key_id, event.reason])
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Key report ${escaped(report.origin)}</title>
<style>
body { font: 13px/1.45 sans-serif; color: #191b1d; margin: 32px; max-width: 1100px }
h1 { font-size: 20px } h2 { font-size: 15px; margin-top: 28px }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; border-bottom: 1px solid #e3e3de; padding: 6px 10px 6px 0 }
td:nth-child(2), td:nth-child(3) { font-family: monospace }
</style>
</head>
<body>
<h1>Key report</h1>
<p>Log ${escaped(report.origin)}, written ${escaped(moment(written))}. ${escaped(report.message.charAt(0).toUpperCase() + report.message.slice(1))}.</p>
<p>Compare fingerprints with the sender by another way: by phone or on paper. This page proves nothing by itself.</p>
${report.unlinked === null ? '' : `<p><strong>${escaped(report.unlinked)}.</strong></p>`}
<h2>Keys</h2>
<table>
${row(['Key', 'Id', 'Fingerprint, SHA-256', 'State', 'In use since', 'Retired', 'Revoked'], 'th')}
${keys.join('\n')}
</table>
<h2>History</h2>
<table>
${row(['Leaf', 'Time', 'By', 'What', 'Key', 'Reason'], 'th')}
${history.join('\n')}
</table>
</body>
</html>
`
}
