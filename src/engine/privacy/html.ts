// SPDX-License-Identifier: Apache-2.0
// Pages that leave the workspace: self-contained, without script, whatever the texts in them hold.

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Controls but tab and line ends, and marks that turn the direction of reading: each is shown as its code. */
const isHidden = (code: number): boolean =>
  (code < 32 && code !== 9 && code !== 10 && code !== 13) ||
  code === 127 ||
  (code >= 0x202a && code <= 0x202e) ||
  (code >= 0x2066 && code <= 0x2069)

/** Text as HTML: no character of it is markup, and none is invisible. */
export function htmlText(text: string): string {
  let out = ''
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    out += isHidden(code) ? `&lt;U+${code.toString(16).toUpperCase().padStart(4, '0')}&gt;` : (escapes[char] ?? char)
  }
  return out
}

const STYLE =
  'body{font:14px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#191b1d}h1{font-size:20px}h2{font-size:15px;margin-top:2rem}h3{font-size:13px;margin:.8rem 0 .2rem}' +
  'pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#fafaf8;border:1px solid #e3e3de;border-radius:4px;padding:8px;margin:0}table{border-collapse:collapse;width:100%;margin:.8rem 0}' +
  'th,td{text-align:left;vertical-align:top;padding:3px 12px 3px 0;border-bottom:1px solid #e3e3de;overflow-wrap:anywhere}th{font-weight:600;white-space:nowrap}section{break-inside:avoid-page}@media print{body{margin:0}}'

/** Beginning and end of a page that loads and runs nothing. */
export const htmlPage = (title: string): { readonly before: string; readonly after: string } => ({
  before: `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>${htmlText(title)}</title><style>${STYLE}</style></head><body>\n`,
  after: '</body></html>\n'
})
