// SPDX-License-Identifier: Apache-2.0
import { renderSVG } from 'uqr'
import { toBase64, toHex } from '../../shared/evidence/bytes.ts'
import { parseCheckpoint } from '../../shared/evidence/note.ts'

export interface CheckpointPage {
  /** The signed note, as the code holds it. */
  readonly note: string
  readonly name: string
  readonly signed: string
  /** SHA-256 of the log key, hex. */
  readonly logKey: string
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
const grouped = (hex: string): string => hex.match(/.{1,4}/g)?.join(' ') ?? hex
const moment = (time: string): string => `${time.slice(0, 19).replace('T', ' ')} UTC`

/** A page to print and to keep elsewhere: whoever holds it can tell later whether the log still extends this checkpoint. No scripts. */
export function checkpointPageHtml({ note, name, signed, logKey }: CheckpointPage): string {
  const { origin, size, root } = parseCheckpoint(note)
  const row = (what: string, value: string) => `<dt>${escaped(what)}</dt><dd>${escaped(value)}</dd>`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Checkpoint ${size} of ${escaped(origin)}</title>
<style>
@page { size: A4; margin: 20mm }
body { font: 13px/1.5 sans-serif; color: #191b1d; max-width: 720px; margin: 0 auto; padding: 24px }
h1 { font-size: 20px; margin: 0 0 4px }
p { margin: 0 0 12px }
dl { display: grid; grid-template-columns: 150px 1fr; gap: 6px 12px; margin: 20px 0 }
dt { color: #45494d } dd { margin: 0; overflow-wrap: anywhere }
dd, pre { font-family: monospace; font-size: 12px }
pre { border: 1px solid #cdcdc6; padding: 10px; white-space: pre-wrap; overflow-wrap: anywhere }
svg { width: 260px; height: 260px }
.sign { margin-top: 40px; display: grid; grid-template-columns: 1fr 1fr; gap: 40px; color: #45494d }
.sign span { border-top: 1px solid #85867f; padding-top: 4px }
</style>
</head>
<body>
<h1>Checkpoint of a log</h1>
<p>Keep this page away from the machine that wrote it. Whoever holds it can show later that the first ${size.toLocaleString('en-US')} leaves were not changed, removed or put in afterwards, or that they were.</p>
${renderSVG(note, { border: 2, ecc: 'M' }).replace('<svg ', '<svg role="img" aria-label="The signed checkpoint as a QR code" ')}
<dl>
${row('Workspace', name)}
${row('Log', origin)}
${row('Leaves', size.toLocaleString('en-US'))}
${row('Root, base64', toBase64(root))}
${row('Root, hex', grouped(toHex(root)))}
${row('Signed', moment(signed))}
${row('Log key, SHA-256', grouped(logKey))}
</dl>
<p>The code holds the signed note, byte for byte:</p>
<pre>${escaped(note)}</pre>
<div class="sign"><span>Received by, date</span><span>Signature</span></div>
</body>
</html>
`
}
