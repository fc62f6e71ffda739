// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../shared/contract/errors.ts'

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'its folder is not there: choose another folder',
  ENOTDIR: 'its folder is not there: choose another folder',
  EACCES: 'this account may not write into its folder: choose another folder',
  EPERM: 'this account may not write into its folder: choose another folder',
  EROFS: 'the drive is read-only: choose another folder',
  EISDIR: 'a folder has its name: choose another name',
  ENAMETOOLONG: 'its name is too long: choose another name',
  ELOOP: 'its folder leads back to itself: choose another folder'
}

const FULL = new Set(['ENOSPC', 'EDQUOT'])

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')

/** Whether the system refused to write, for a reason that a person can do something about. */
export const isRefusedWrite = (error: unknown): boolean => FULL.has(codeOf(error)) || codeOf(error) in reasons

/** Why a file that a person chose was not written, and what to do; without its path, which may name a person. */
export function notWritten(error: unknown): AffidavitError {
  if (error instanceof AffidavitError) return error
  const code = codeOf(error)
  if (FULL.has(code))
    return new AffidavitError('disk_full', 'the disk is full: the file is not finished; free some space or choose another folder')
  return new AffidavitError('file_unreadable', `the file cannot be written: ${reasons[code] ?? 'choose another folder'}`)
}
