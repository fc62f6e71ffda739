// SPDX-License-Identifier: Apache-2.0

import { createHash, randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { BrowserWindow } from 'electron'
import { notWritten } from '../node/not-written.ts'
import type { ShellOperationOutput } from '../shared/contract/shell.ts'
import { saveFile } from './dialogs.ts'
import { type PdfDocument, printPdf } from './pdf.ts'

/** Replaces a file whole or not at all. */
async function writeWhole(path: string, content: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path).slice(0, 80)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw notWritten(error)
  }
}

/** Asks where to save (null: the person cancelled), prints, and writes the file whole. */
export async function savePdf(
  owner: BrowserWindow,
  document: PdfDocument & { readonly suggested_name?: string | undefined }
): Promise<ShellOperationOutput<'shell.savePdf'>> {
  const { path } = await saveFile(owner, {
    title: 'Save as PDF',
    ...(document.suggested_name === undefined ? {} : { suggested_name: document.suggested_name }),
    filters: [{ name: 'PDF', extensions: ['pdf'] }]
  })
  if (path === null) return { saved: null }
  const content = await printPdf(document)
  await writeWhole(path, content)
  return { saved: { path, bytes: content.byteLength, sha256: createHash('sha256').update(content).digest('hex') } }
}
