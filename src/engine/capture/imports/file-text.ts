// SPDX-License-Identifier: Apache-2.0
// The first bytes of a file, and what of its encoding and line ends keeps it from being read.
import { closeSync, openSync, readSync } from 'node:fs'
import type { FileForm } from '../../../shared/contract/import-mapping.ts'

const HEAD = 64 * 1024
const LF = 10
const CR = 13

/** The first bytes of a file. */
export function headOf(path: string): Buffer {
  const bytes = Buffer.alloc(HEAD)
  const file = openSync(path, 'r')
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, HEAD, 0))
  } finally {
    closeSync(file)
  }
}

function isUtf8(head: Buffer): boolean {
  try {
    // Its last sign may be cut in two.
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true })
    return true
  } catch {
    return false
  }
}

/** Why nothing of a file can be read in this form, and what to do about it; undefined when its beginning shows no reason. */
export function unreadable(path: string, form: FileForm): string | undefined {
  if (form === 'parquet') return undefined
  const head = headOf(path)
  const mark = head.toString('latin1', 0, 2)
  if (mark === '\u00ff\u00fe' || mark === '\u00fe\u00ff')
    return 'the file is UTF-16 by its byte-order mark: save it as UTF-8 and import that'
  // JSON may stand in one line.
  if (form === 'csv' && head.includes(CR) && !head.includes(LF) && !head.includes(0))
    return 'the lines of the file end with CR alone: save it with LF or CRLF as line ends and import that'
  return undefined
}

/** Of a file that was refused: what in its text is likely the reason. What holds zeros is no text at all. */
export function likelyCause(path: string, form: FileForm): string | undefined {
  if (form === 'parquet') return undefined
  const head = headOf(path)
  const sure = unreadable(path, 'csv')
  if (sure !== undefined || head.includes(0) || isUtf8(head)) return sure
  return 'the file is not UTF-8, but perhaps Latin-1 or Windows-1252: save it as UTF-8 and import that'
}
