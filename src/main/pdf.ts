// SPDX-License-Identifier: Apache-2.0
// HTML to PDF in a window of its own that nobody sees: no script, no network, no files, no way out.

import interLatin from '@fontsource-variable/inter/files/inter-latin-wght-normal.woff2?inline'
import { BrowserWindow, type Session, session } from 'electron'
import { AffidavitError } from '../shared/contract/errors.ts'
import type { PrintReply, PrintRequest } from '../shared/contract/wire.ts'
import { SCHEME } from './origin.ts'
import { denyPermissions } from './permissions.ts'
import { Turns } from './turns.ts'

/** What to print. The lines of `footer` stand at the left of each page's foot, page numbers at the right. */
export interface PdfDocument {
  readonly html: string
  readonly footer: string
  readonly paper: 'a4' | 'letter'
}

const ADDRESS = `${SCHEME}://report/document.html`
/** In memory only: the name has no `persist:` in front. */
const PARTITION = 'report'
const LONGEST_MS = 120_000
const INCH = 25.4

const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'; sandbox"

/** The interface font goes along: reports then look the same on every machine. */
const font = `<style>@font-face{font-family:"Inter Variable";font-weight:100 900;src:url(${interLatin}) format("woff2")}</style>`

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => escapes[char] ?? '')

const footerTemplate = (text: string): string =>
  `<div style="display:flex;justify-content:space-between;gap:16px;width:100%;margin:0 18mm;font:9px/1.35 system-ui,sans-serif;color:#45494d">` +
  `<span style="overflow-wrap:anywhere">${escaped(text).replaceAll('\n', '<br>')}</span>` +
  `<span style="white-space:nowrap">Page <span class="pageNumber"></span> of <span class="totalPages"></span></span></div>`

/** The session that serves one document and nothing else. */
function reportSession(serve: () => string): Session {
  const own = session.fromPartition(PARTITION, { cache: false })
  if (!own.protocol.isProtocolHandled(SCHEME)) {
    denyPermissions(own)
    own.webRequest.onBeforeRequest((details, answer) =>
      answer({ cancel: details.url !== ADDRESS && !/^data:(image|font)\//.test(details.url) })
    )
  } else own.protocol.unhandle(SCHEME)
  own.protocol.handle(SCHEME, (request) =>
    request.url === ADDRESS
      ? new Response(serve(), {
          headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policy, 'X-Content-Type-Options': 'nosniff' }
        })
      : new Response('', { status: 404 })
  )
  return own
}

const withFont = (html: string): string => html.replace(/<head[^>]*>/i, (head) => head + font)

/** One document at a time: the session serves one. */
const turns = new Turns()

/**
 * Prints a self-contained page to a tagged PDF with an outline and page numbers. Scripts do not run, and nothing is fetched: what is not in
 * the document is left out. @throws AffidavitError too_large when it takes longer than two minutes; internal when the page's process ended
 */
export function printPdf(document: PdfDocument): Promise<Uint8Array> {
  return turns.take(async () => {
    const window = new BrowserWindow({
      show: false,
      width: 800,
      height: 1100,
      webPreferences: {
        session: reportSession(() => withFont(document.html)),
        javascript: false,
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        webviewTag: false,
        spellcheck: false,
        devTools: false,
        images: true
      }
    })
    let stop: NodeJS.Timeout | undefined
    try {
      const ended = new Promise<never>((_resolve, reject) => {
        stop = setTimeout(() => reject(new AffidavitError('too_large', 'the document takes longer than two minutes to print')), LONGEST_MS)
        window.webContents.once('render-process-gone', () => reject(new AffidavitError('internal', 'the page that prints has ended')))
        window.once('closed', () => reject(new AffidavitError('cancelled', 'the printing was ended')))
      })
      const printed = window.loadURL(ADDRESS).then(() =>
        window.webContents.printToPDF({
          pageSize: document.paper === 'a4' ? 'A4' : 'Letter',
          margins: { top: 18 / INCH, bottom: 20 / INCH, left: 18 / INCH, right: 18 / INCH },
          printBackground: true,
          preferCSSPageSize: false,
          displayHeaderFooter: true,
          headerTemplate: '<span></span>',
          footerTemplate: footerTemplate(document.footer),
          generateTaggedPDF: true,
          generateDocumentOutline: true
        })
      )
      return await Promise.race([printed, ended])
    } finally {
      clearTimeout(stop)
      if (!window.isDestroyed()) window.destroy()
    }
  })
}

/** Prints for the engine, which has the page but no window. Never rejects. */
export async function answerPrintRequest({ id, html, footer }: PrintRequest): Promise<PrintReply> {
  try {
    return { kind: 'print.reply', id, pdf: await printPdf({ html, footer, paper: 'a4' }), message: '' }
  } catch (error) {
    const message = error instanceof AffidavitError ? error.message : 'the report could not be printed'
    return { kind: 'print.reply', id, pdf: null, message }
  }
}
