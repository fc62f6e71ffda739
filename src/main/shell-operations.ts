// SPDX-License-Identifier: Apache-2.0
import { app, type BrowserWindow, nativeTheme } from 'electron'
import type { z } from 'zod'
import { AffidavitError, type Reply } from '../shared/contract/errors.ts'
import {
  type ShellInfo,
  type ShellOperationName,
  type ShellOperationOutput,
  shellOperations,
  type ThemeChoice
} from '../shared/contract/shell.ts'
import { pickFile, saveFile, showItem } from './dialogs.ts'
import { openExternal } from './navigation.ts'
import { savePdf } from './save-pdf.ts'

/** What the operations need of the running app. */
export interface ShellContext {
  readonly workspace: () => string
  readonly state: string
  readonly keyProtection: () => ShellInfo['key_protection']
  readonly setTheme: (theme: ThemeChoice) => void
  readonly openWorkspace: (owner: BrowserWindow) => Promise<string | null>
  readonly openSample: () => Promise<void>
  readonly leaveSample: () => Promise<void>
  readonly openReview: (review: string) => Promise<void>
  readonly leaveReview: () => Promise<void>
  readonly takeFile: () => string | null
  readonly restartEngine: () => Promise<void>
  readonly unlock: (passphrase: string | null) => Promise<void>
}

type Handlers = {
  readonly [N in ShellOperationName]: (
    input: z.output<(typeof shellOperations)[N]['input']>,
    owner: BrowserWindow,
    context: ShellContext
  ) => Promise<ShellOperationOutput<N>>
}

/** The theme as it is now. */
export const themeNow = (): ShellInfo['theme'] => ({ choice: nativeTheme.themeSource, dark: nativeTheme.shouldUseDarkColors })

function platform(): ShellInfo['platform'] {
  return process.platform === 'linux' || process.platform === 'darwin' || process.platform === 'win32' ? process.platform : 'other'
}

const handlers: Handlers = {
  'shell.info': async (_input, _owner, context) => ({
    version: app.getVersion(),
    electron: process.versions.electron,
    chrome: process.versions.chrome,
    node: process.versions.node,
    platform: platform(),
    packaged: app.isPackaged,
    workspace: context.workspace(),
    state: context.state,
    key_protection: context.keyProtection(),
    theme: themeNow()
  }),
  'shell.pickFile': (input, owner) => pickFile(owner, input),
  'shell.saveFile': (input, owner) => saveFile(owner, input),
  'shell.savePdf': (input, owner) => savePdf(owner, input),
  'shell.openWorkspace': async (_input, owner, context) => ({ workspace: await context.openWorkspace(owner) }),
  'shell.openSample': async (_input, _owner, context) => {
    await context.openSample()
    return {}
  },
  'shell.leaveSample': async (_input, _owner, context) => {
    await context.leaveSample()
    return {}
  },
  'shell.openReview': async (input, _owner, context) => {
    await context.openReview(input.review)
    return {}
  },
  'shell.leaveReview': async (_input, _owner, context) => {
    await context.leaveReview()
    return {}
  },
  'shell.takeFile': async (_input, _owner, context) => ({ path: context.takeFile() }),
  'shell.restartEngine': async (_input, _owner, context) => {
    await context.restartEngine()
    return {}
  },
  'shell.unlock': async (input, _owner, context) => {
    await context.unlock(input.passphrase)
    return {}
  },
  'shell.openExternal': async (input, owner) => ({ opened: await openExternal(owner.webContents, input.url) }),
  'shell.showItem': async (input) => {
    showItem(input.path)
    return {}
  },
  'shell.setTheme': async (input, _owner, context) => {
    context.setTheme(input.theme)
    return themeNow()
  }
}

const isShellOperation = (op: string): op is ShellOperationName => Object.hasOwn(handlers, op)

async function answer<N extends ShellOperationName>(op: N, input: unknown, owner: BrowserWindow, context: ShellContext): Promise<unknown> {
  const parsed = shellOperations[op].input.safeParse(input)
  if (!parsed.success) throw new AffidavitError('bad_request', `the input of ${op} does not have its form`)
  return handlers[op](parsed.data as z.output<(typeof shellOperations)[N]['input']>, owner, context)
}

/** Answers an operation of the shell. Never throws. */
export async function callShell(op: string, input: unknown, owner: BrowserWindow, context: ShellContext): Promise<Reply<unknown>> {
  if (!isShellOperation(op)) return { ok: false, error: { code: 'unknown_operation', message: 'there is no such operation' } }
  try {
    return { ok: true, value: await answer(op, input, owner, context) }
  } catch (error) {
    if (error instanceof AffidavitError) return { ok: false, error: error.toFailure() }
    return { ok: false, error: { code: 'internal', message: `${op} failed` } }
  }
}
