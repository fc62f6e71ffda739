// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync } from 'node:fs'
import { writeFileDurably } from '../../node/durable-file.ts'
import { notWritten } from '../../node/not-written.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'

const MOST_PEM_BYTES = 256 * 1024

/** Writes a page to print. @throws AffidavitError file_exists, file_unreadable */
export function writePage(out: string, html: string, replace: boolean): void {
  if (!replace && existsSync(out))
    throw new AffidavitError('file_exists', 'the file exists already: choose another name or say that it may be replaced')
  try {
    writeFileDurably(out, html)
  } catch (error) {
    throw notWritten(error)
  }
}

/** Reads a file of certificates. @throws AffidavitError too_large, file_unreadable */
export function readPem(path: string): string {
  try {
    const bytes = readFileSync(path)
    if (bytes.length > MOST_PEM_BYTES) throw new AffidavitError('too_large', 'a file of certificates has at most 256 kB')
    return bytes.toString('latin1').replace(/\r\n/g, '\n')
  } catch (error) {
    if (error instanceof AffidavitError) throw error
    throw new AffidavitError('file_unreadable', 'the file cannot be read')
  }
}
