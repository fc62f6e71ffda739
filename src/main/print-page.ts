// SPDX-License-Identifier: Apache-2.0
// The runtime as a printer for the command line: one page in, one PDF out, no window and no engine.
import { readFileSync, writeFileSync } from 'node:fs'
import { app } from 'electron'
import { z } from 'zod'
import { printPdf } from './pdf.ts'

const page = z.strictObject({ html: z.string(), footer: z.string() })

/** The files named by `--print-page` and `--print-to`; null when this start is for the app. */
export function pageToPrint(): { readonly from: string; readonly to: string } | null {
  const from = app.commandLine.getSwitchValue('print-page')
  const to = app.commandLine.getSwitchValue('print-to')
  return from === '' || to === '' ? null : { from, to }
}

/** Prints and ends the process: 0 when the file is written. */
export async function printAndExit({ from, to }: { readonly from: string; readonly to: string }): Promise<void> {
  try {
    const { html, footer } = page.parse(JSON.parse(readFileSync(from, 'utf8')))
    writeFileSync(to, await printPdf({ html, footer, paper: 'a4' }), { mode: 0o600 })
    app.exit(0)
  } catch {
    app.exit(1)
  }
}
