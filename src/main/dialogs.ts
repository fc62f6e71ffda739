// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { type BrowserWindow, dialog, shell } from 'electron'
import { AffidavitError } from '../shared/contract/errors.ts'
import type { ShellOperationInput, ShellOperationOutput } from '../shared/contract/shell.ts'

type Filters = NonNullable<ShellOperationInput<'shell.pickFile'>['filters']>

const filtersOf = (filters: Filters | undefined): Electron.FileFilter[] =>
  (filters ?? []).map(({ name, extensions }) => ({ name, extensions: [...extensions] }))

export async function pickFile(
  owner: BrowserWindow,
  input: ShellOperationInput<'shell.pickFile'>
): Promise<ShellOperationOutput<'shell.pickFile'>> {
  const { canceled, filePaths } = await dialog.showOpenDialog(owner, {
    title: input.title ?? (input.folder ? 'Choose a folder' : 'Choose a file'),
    filters: filtersOf(input.filters),
    properties: input.folder ? ['openDirectory', 'createDirectory'] : input.multiple ? ['openFile', 'multiSelections'] : ['openFile']
  })
  return { paths: canceled ? [] : filePaths }
}

export async function saveFile(
  owner: BrowserWindow,
  input: ShellOperationInput<'shell.saveFile'>
): Promise<ShellOperationOutput<'shell.saveFile'>> {
  const { canceled, filePath } = await dialog.showSaveDialog(owner, {
    title: input.title ?? 'Save as',
    ...(input.suggested_name === undefined ? {} : { defaultPath: input.suggested_name }),
    filters: filtersOf(input.filters),
    properties: ['createDirectory', 'showOverwriteConfirmation']
  })
  return { path: canceled || filePath === '' ? null : filePath }
}

/** Asks for the folder of a workspace; a new folder is welcome. */
export async function pickWorkspace(owner: BrowserWindow): Promise<string | null> {
  const { canceled, filePaths } = await dialog.showOpenDialog(owner, {
    title: 'Open a workspace',
    buttonLabel: 'Open',
    properties: ['openDirectory', 'createDirectory']
  })
  return canceled ? null : (filePaths[0] ?? null)
}

export function showItem(path: string): void {
  if (!isAbsolute(path) || !existsSync(path)) throw new AffidavitError('not_found', 'there is no such file')
  shell.showItemInFolder(path)
}
