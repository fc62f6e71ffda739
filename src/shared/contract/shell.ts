// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { errorCode, type Reply } from './errors.ts'
import { operation } from './operation.ts'

/** Names of file types offered in a dialog, e.g. `{ name: 'JSON lines', extensions: ['jsonl'] }`; extensions without a dot. */
const fileFilter = z.strictObject({
  name: z.string().min(1).max(80),
  extensions: z
    .array(z.string().regex(/^(\*|[A-Za-z0-9][A-Za-z0-9.]{0,15})$/))
    .min(1)
    .max(20)
})
const title = z.string().min(1).max(120)
const path = z.string().min(1).max(4096)
/** A file name, not a path. */
const fileName = z
  .string()
  .max(200)
  .regex(/^[^/\\\p{Cc}]*$/u)
const nothing = z.strictObject({})

/** How the window follows the colours of the system, or not. */
export const themeChoice = z.enum(['system', 'light', 'dark'])
export type ThemeChoice = z.infer<typeof themeChoice>

const theme = z.object({ choice: themeChoice, dark: z.boolean() })

/**
 * State of the engine process as main sees it. `failed`: it runs no more and is not started again by itself; `code` and `message` say why
 * (a code of the engine, or `engine_unavailable` when it ended repeatedly). `retry_ms`: time until the next start, null when none is planned.
 */
export const engineState = z.object({
  state: z.enum(['starting', 'running', 'restarting', 'failed']),
  restarts: z.int().min(0),
  retry_ms: z.int().min(0).nullable(),
  code: errorCode.nullable(),
  message: z.string().nullable(),
  /** It failed for want of the passphrase of the keys, or with one that does not open them: `shell.unlock` gives it. */
  asks: z.enum(['passphrase', 'another_passphrase']).nullable()
})
export type ShellEngineState = z.infer<typeof engineState>

/** Facts about the desktop shell, for Settings and the status bar. */
export const shellInfo = z.object({
  version: z.string(),
  electron: z.string(),
  chrome: z.string(),
  node: z.string(),
  platform: z.enum(['linux', 'darwin', 'win32', 'other']),
  packaged: z.boolean(),
  workspace: z.string(),
  state: z.string(),
  key_protection: z.enum(['safe-storage', 'file']),
  theme
})
export type ShellInfo = z.infer<typeof shellInfo>

/** Operations that main answers itself; every other name goes to the engine. Their names begin with `shell.`. */
export const shellOperations = {
  'shell.info': operation({
    summary: 'Versions, folders and theme of the desktop shell',
    input: nothing,
    output: shellInfo,
    access: 'read',
    leaves: []
  }),
  'shell.pickFile': operation({
    summary: 'Asks for files, or a folder, to work with; an empty list when the person cancels',
    input: z.strictObject({
      title: title.optional(),
      filters: z.array(fileFilter).max(10).optional(),
      multiple: z.boolean().optional(),
      folder: z.boolean().optional()
    }),
    output: z.object({ paths: z.array(z.string()) }),
    access: 'read',
    leaves: []
  }),
  'shell.saveFile': operation({
    summary: 'Asks where to write a file; null when the person cancels',
    input: z.strictObject({
      title: title.optional(),
      suggested_name: fileName.optional(),
      filters: z.array(fileFilter).max(10).optional()
    }),
    output: z.object({ path: z.string().nullable() }),
    access: 'read',
    leaves: []
  }),
  'shell.savePdf': operation({
    summary: 'Asks where to save, and writes a self-contained page there as a tagged PDF with page numbers; null when the person cancels',
    input: z.strictObject({
      /** Scripts in it do not run, and nothing it names is fetched. */
      html: z.string().min(1).max(3_900_000),
      /** At the foot of each page, such as the digest of what the document belongs to. */
      footer: z.string().max(300),
      paper: z.enum(['a4', 'letter']).default('a4'),
      suggested_name: fileName.optional()
    }),
    output: z.object({ saved: z.object({ path: z.string(), bytes: z.int().min(0), sha256: z.string() }).nullable() }),
    access: 'read',
    leaves: []
  }),
  'shell.openWorkspace': operation({
    summary: 'Asks for the folder of another workspace and starts the engine on it; null when the person cancels',
    input: nothing,
    output: z.object({ workspace: z.string().nullable() }),
    access: 'read',
    leaves: []
  }),
  'shell.openSample': operation({
    summary:
      'Starts the engine on the sample workspace, made where it is not there yet; the next start of the app opens the usual one again',
    input: nothing,
    output: nothing,
    access: 'read',
    leaves: []
  }),
  'shell.leaveSample': operation({
    summary: 'Goes back to the usual workspace and removes the sample',
    input: nothing,
    output: nothing,
    access: 'read',
    leaves: []
  }),
  'shell.openReview': operation({
    summary: 'Shows a bundle that was made ready for review; recording in the workspace goes on meanwhile',
    input: z.strictObject({ review: z.uuid() }),
    output: nothing,
    access: 'read',
    leaves: []
  }),
  'shell.leaveReview': operation({
    summary: 'Goes back to the workspace and removes what was made for the review',
    input: nothing,
    output: nothing,
    access: 'read',
    leaves: []
  }),
  'shell.takeFile': operation({
    summary: 'The bundle that the system asked the app to open, once; null when there is none',
    input: nothing,
    output: z.object({ path: z.string().nullable() }),
    access: 'read',
    leaves: []
  }),
  'shell.restartEngine': operation({
    summary: 'Starts the engine again after it failed, or ends and starts a running one',
    input: nothing,
    output: nothing,
    access: 'read',
    leaves: []
  }),
  'shell.unlock': operation({
    summary: 'Gives the passphrase of the keys and starts the engine with it; null goes on without: read-only, contents closed',
    input: z.strictObject({ passphrase: z.string().min(1).max(1024).nullable() }),
    output: nothing,
    access: 'write',
    leaves: []
  }),
  'shell.openExternal': operation({
    summary: 'Shows a web address (https only) and, if the person agrees, opens it in the browser of the system',
    input: z.strictObject({ url: z.string().max(2048) }),
    output: z.object({ opened: z.boolean() }),
    access: 'read',
    leaves: []
  }),
  'shell.showItem': operation({
    summary: 'Shows a file in the file manager of the system',
    input: z.strictObject({ path }),
    output: nothing,
    access: 'read',
    leaves: []
  }),
  'shell.setTheme': operation({
    summary: 'Chooses light, dark or the theme of the system; remembered',
    input: z.strictObject({ theme: themeChoice }),
    output: theme,
    access: 'read',
    leaves: []
  })
} as const

export type ShellOperationName = keyof typeof shellOperations
export type ShellOperationInput<N extends ShellOperationName> = z.input<(typeof shellOperations)[N]['input']>
export type ShellOperationOutput<N extends ShellOperationName> = z.output<(typeof shellOperations)[N]['output']>

/** Sections in the order of the navigation, as the menu names them. */
export const sections = ['dashboard', 'records', 'drift', 'compliance', 'exports', 'settings'] as const

/** What main pushes. A subscriber to `shell.engine` and `shell.theme` gets the present value first. */
export const shellTopics = {
  'shell.engine': { input: nothing, event: engineState },
  'shell.theme': { input: nothing, event: theme },
  /** A menu entry was chosen; `file`: the system asked the app to open a bundle. */
  'shell.command': { input: nothing, event: z.object({ command: z.enum([...sections, 'palette', 'import', 'export', 'verify', 'file']) }) }
} as const

export type ShellTopicName = keyof typeof shellTopics
export type ShellTopicEvent<T extends ShellTopicName> = z.output<(typeof shellTopics)[T]['event']>

/** What the preload script puts on `window.affidavit`: all that the page has of the world. */
export interface ShellBridge {
  /**
   * Calls an operation of the engine or of the shell. Never rejects because of the operation: a failure is a reply with `ok: false`.
   * `onCancel` receives, synchronously, a function that asks to stop the call (an AbortSignal cannot cross into the isolated world).
   */
  readonly call: (op: string, input: unknown, onCancel?: (cancel: () => void) => void) => Promise<Reply<unknown>>
  /** Subscribes to a topic; `listener` gets each event as it comes, across restarts of the engine. Returns the off function. */
  readonly subscribe: (topic: string, input: unknown, listener: (event: unknown) => void) => () => void
  /** Path of a file that was dropped on or chosen in the page; empty for a File made by script. */
  readonly pathForFile: (file: object) => string
}
