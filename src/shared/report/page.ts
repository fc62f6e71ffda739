// SPDX-License-Identifier: Apache-2.0
// The one look of everything that is printed: reports, certificates, packs. One file, no script, nothing fetched.
import { escaped, type Markup, type MarkupValue, markup } from './markup.ts'

/** Rows of one table at most: beyond it the same head starts a new one, since engines lay out very long tables slowly. */
const ROWS = 200

const style = `
@page{size:auto;margin:18mm}
*{box-sizing:border-box}
body{font:10pt/1.45 "Inter Variable",Inter,system-ui,"Segoe UI",sans-serif;color:#191b1d;background:#fff;max-width:178mm;margin:10mm auto;padding:0 6mm}
h1{font-size:17pt;line-height:1.25;font-weight:600;margin:0 0 1mm}
h2{font-size:12pt;font-weight:600;margin:7mm 0 2mm;padding-bottom:1mm;border-bottom:.3mm solid #85867f;break-after:avoid}
h3{font-size:10pt;font-weight:600;margin:4mm 0 1mm;break-after:avoid}
p{margin:1.2mm 0;orphans:2;widows:2}
h1,h2,h3,p,li{overflow-wrap:anywhere}
.sub{color:#45494d;margin-bottom:4mm}.soft{color:#45494d}.small{font-size:8.5pt}
table{border-collapse:collapse;width:100%;margin:2mm 0;font-size:9pt;line-height:1.35}
table.keep,div.keep{break-inside:avoid}
table.goes-on{margin-bottom:0}table.goes-on+table{margin-top:0}
thead{display:table-header-group}tr{break-inside:avoid}
th,td{text-align:left;vertical-align:top;padding:1.1mm 2mm;border-bottom:.2mm solid #cdcdc6;overflow-wrap:anywhere}
th:first-child,td:first-child{padding-left:0}th:last-child,td:last-child{padding-right:0}
thead th{font-weight:600;border-bottom:.3mm solid #85867f;overflow-wrap:normal}
th[scope=row]{font-weight:500;color:#45494d;width:42mm}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}td.w,th.w{white-space:nowrap}td.t,th.t{min-width:34mm}
code,.mono{font-family:ui-monospace,"IBM Plex Mono",Consolas,monospace;font-size:.9em;overflow-wrap:anywhere}
pre{font-family:ui-monospace,"IBM Plex Mono",Consolas,monospace;font-size:8.5pt;line-height:1.4;white-space:pre-wrap;overflow-wrap:anywhere;margin:1.5mm 0;padding:2mm 3mm;border-left:.6mm solid #cdcdc6}
ul,ol{margin:1.5mm 0;padding-left:6mm}li{margin:.8mm 0}
.box{border:.4mm solid #45494d;padding:2mm 4mm;margin:3mm 0;break-inside:avoid}
.sign{display:flex;gap:10mm;margin-top:12mm;break-inside:avoid}.sign div{flex:1;border-top:.3mm solid #45494d;padding-top:1mm;font-size:8.5pt;color:#45494d}
pre.said{font-family:inherit;font-size:9.5pt}
section.record{margin-bottom:6mm}
svg{max-width:100%;height:auto}figure{margin:3mm 0;break-inside:avoid}figcaption{font-size:8.5pt;color:#45494d}
@media print{body{margin:0;padding:0;max-width:none}}
`

/** A page that is opened from a file loads and runs nothing, should text ever pass for markup. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"

export interface PageOptions {
  readonly title: string
  /** Under the title: of what, as of when (UTC). */
  readonly sub: string
  /** In a box before everything else, such as SAMPLE: its first word says what it is, colour is not needed. */
  readonly notice?: string | undefined
  readonly body: readonly Markup[]
}

/** Beginning and end of a page, for one whose body is written piece by piece. */
export function pageFrame({ title, sub, notice }: Omit<PageOptions, 'body'>): { readonly before: string; readonly after: string } {
  const boxed = notice === undefined ? markup`` : markup`<p class="box"><b>${notice}</b></p>`
  const content = markup`<h1>${title}</h1>
<p class="sub">${sub}</p>
${boxed}
`
  const before = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${style}</style></head><body>
${content.html}`
  return { before, after: '\n</body></html>\n' }
}

/** A whole page: readable by itself, printable on A4 and Letter. */
export function reportPage({ body, ...head }: PageOptions): string {
  const { before, after } = pageFrame(head)
  return `${before}${markup`${body}`.html}${after}`
}

export const section = (title: string, ...content: readonly Markup[]): Markup => markup`<h2>${title}</h2>
${content}
`

export const paragraph = (...content: readonly MarkupValue[]): Markup => markup`<p>${content.map((one) => markup`${one}`)}</p>
`

/** What stands on one page. */
export const together = (...content: readonly Markup[]): Markup => markup`<div class="keep">${content}</div>
`

/** Names beside values. */
export const factTable = (
  rows: readonly (readonly [name: string, value: MarkupValue])[]
): Markup => markup`<table class="keep"><tbody>${rows.map(
  ([name, value]) => markup`<tr><th scope="row">${name}</th><td>${value}</td></tr>
`
)}</tbody></table>
`

const kinds = { number: 'n', short: 'w', words: 't' } as const

/** A column: `number` stands at the right, `short` does not wrap, `words` keeps room for a few beside a longer one. */
export interface Column {
  readonly name: string
  readonly kind?: keyof typeof kinds
}

const classOf = ({ kind }: Column): Markup => (kind === undefined ? markup`` : markup` class="${kinds[kind]}"`)

/** A table whose head stands on each page it reaches. */
export function dataTable(columns: readonly Column[], rows: readonly (readonly MarkupValue[])[]): Markup {
  const head = markup`<thead><tr>${columns.map((column) => markup`<th scope="col"${classOf(column)}>${column.name}</th>`)}</tr></thead>`
  const tables: Markup[] = []
  for (let from = 0; from === 0 || from < rows.length; from += ROWS) {
    const some = rows.slice(from, from + ROWS).map(
      (cells) => markup`<tr>${columns.map((column, at) => markup`<td${classOf(column)}>${cells[at]}</td>`)}</tr>
`
    )
    tables.push(markup`<table${from + ROWS < rows.length ? markup` class="goes-on"` : markup``}>${head}<tbody>${some}</tbody></table>
`)
  }
  return markup`${tables}`
}

export const bulletList = (items: readonly MarkupValue[]): Markup => markup`<ul>${items.map((one) => markup`<li>${one}</li>`)}</ul>
`

export const numberedList = (items: readonly MarkupValue[]): Markup => markup`<ol>${items.map((one) => markup`<li>${one}</li>`)}</ol>
`

/** A text as somebody wrote it, with its line ends. */
export const said = (text: string): Markup => markup`<pre class="said">${text.replaceAll('\r\n', '\n')}</pre>
`

/** Lines for names and dates to sign by hand. */
export const signatureLines = (
  ...names: readonly string[]
): Markup => markup`<div class="sign">${names.map((name) => markup`<div>${name}</div>`)}</div>
`
