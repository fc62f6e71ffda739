// SPDX-License-Identifier: Apache-2.0
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { app, BrowserWindow, Menu, nativeTheme, session } from 'electron'
import { ZodError } from 'zod'
import type { ShellTopicEvent } from '../shared/contract/shell.ts'
import type { EngineStart, FromEngine } from '../shared/contract/wire.ts'
import { commandLineArguments, runCommandLine } from './command-line.ts'
import { type MainConfig, mainConfig } from './config.ts'
import { pickWorkspace } from './dialogs.ts'
import { EngineBridge } from './engine-bridge.ts'
import { EngineProcess } from './engine-process.ts'
import { Engines } from './engines.ts'
import { Ipc } from './ipc.ts'
import { answerKeyRequest, keyProtection } from './key-store.ts'
import { applicationMenu } from './menu.ts'
import { confine } from './navigation.ts'
import { announceNotices } from './notices.ts'
import { bundleIn, OpenedFiles } from './opened-files.ts'
import { answerPrintRequest } from './pdf.ts'
import { denyNetwork, denyPermissions } from './permissions.ts'
import { type Preferences, readPreferences, writePreferences } from './preferences.ts'
import { pageToPrint, printAndExit } from './print-page.ts'
import { registerScheme, servePage } from './protocol.ts'
import { Sample } from './sample.ts'
import { type ShellContext, themeNow } from './shell-operations.ts'
import { ShellTopics } from './shell-topics.ts'
import { Unlock } from './unlock.ts'
import { openMainWindow } from './window.ts'

/** Folder of the built files: main and engine lie beside each other, preload and page next to that. */
const built = join(import.meta.dirname, '..')
const files = new OpenedFiles()

function readConfig(): MainConfig {
  try {
    return mainConfig({ userData: app.getPath('userData'), appData: app.getPath('appData'), home: app.getPath('home') }, app.isPackaged)
  } catch (error) {
    process.stderr.write(
      `affidavit: ${error instanceof ZodError ? error.issues.map((issue) => issue.message).join('; ') : String(error)}\n`
    )
    process.exit(2)
  }
}

function privateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  if (process.platform !== 'win32') chmodSync(path, 0o700)
}

/** Everything after the app is ready. */
function run(config: MainConfig): void {
  const preferencesPath = join(app.getPath('userData'), 'shell.json')
  let preferences = readPreferences(preferencesPath)
  const remember = (change: Partial<Preferences>): void => {
    preferences = { ...preferences, ...change }
    writePreferences(preferencesPath, preferences)
  }
  const unlock = new Unlock()
  const sample = new Sample(app.getPath('userData'))
  const workspace = (): string => (sample.isOpen ? sample.path : (config.workspace ?? preferences.workspace ?? config.defaultWorkspace))
  nativeTheme.themeSource = preferences.theme

  const page = session.defaultSession
  servePage(page, join(built, 'renderer'), config.devServer)
  denyPermissions(page)
  denyNetwork(page, config.devServer)

  /** An engine of the app; only the one that is shown speaks to the windows. */
  const engineOn = (
    start: () => Pick<EngineStart['config'], 'workspace' | 'compliance' | 'drift'>,
    hear?: (message: FromEngine) => void
  ) => {
    const engine: EngineProcess = new EngineProcess({
      entry: join(built, 'main', 'engine.js'),
      config: () => ({
        state: config.state,
        appVersion: app.getVersion(),
        keyProtection: keyProtection(),
        prints: true,
        allowedHosts: config.allowedHosts,
        ...(config.passphraseFile === null ? {} : { passphraseFile: config.passphraseFile }),
        ...start()
      }),
      answerKeyRequest,
      onPassphrase: (passphrase) => unlock.changed(passphrase),
      answerPrintRequest,
      onMessage: (message) => {
        hear?.(message)
        if (engines.shown === engine) bridge.fromEngine(message)
      },
      onState: (state) => {
        if (engine === own) notices.engineChanged()
        if (engine === own && state.asks !== null) unlock.forget()
        if (engines.shown !== engine) return
        bridge.engineChanged()
        topics.push('shell.engine', state)
      }
    })
    return engine
  }
  const own = engineOn(
    () => ({ workspace: workspace(), compliance: config.compliance, drift: config.drift, ...sample.config, ...unlock.config }),
    (message) => notices.fromEngine(message)
  )
  const engines = new Engines({
    own,
    forReview: (folder) => engineOn(() => ({ workspace: folder, compliance: null, drift: null })),
    reviews: join(config.state, 'reviews'),
    turn: (change) => {
      bridge.turn(change)
      topics.push('shell.engine', engines.shown.state)
    }
  })
  const bridge = new EngineBridge({ send: (message) => engines.shown.send(message), state: () => engines.shown.state })
  // Alerts of the workspace are announced also while a review is shown.
  const notices = new EngineBridge({ send: (message) => own.send(message), state: () => own.state, prefix: 'shell-' })
  const topics = new ShellTopics({ 'shell.engine': () => engines.shown.state, 'shell.theme': themeNow })
  nativeTheme.on('updated', () => topics.push('shell.theme', themeNow()))

  const openWorkspace = async (owner: BrowserWindow): Promise<string | null> => {
    const chosen = await pickWorkspace(owner)
    if (chosen === null) return null
    await engines.leaveReview()
    sample.set(false)
    remember({ workspace: chosen })
    unlock.forget()
    await own.restart()
    return workspace()
  }
  const context: ShellContext = {
    workspace,
    state: config.state,
    keyProtection,
    setTheme: (theme) => {
      nativeTheme.themeSource = theme
      remember({ theme })
    },
    openWorkspace,
    openSample: async () => {
      await engines.leaveReview()
      sample.set(true)
      await own.restart()
    },
    leaveSample: async () => {
      sample.set(false)
      await own.restart()
      sample.remove()
    },
    openReview: (review) => engines.openReview(review),
    leaveReview: () => engines.leaveReview(),
    takeFile: () => files.take(),
    restartEngine: () => {
      unlock.askAgain()
      return engines.shown.restart()
    },
    unlock: (passphrase) => {
      unlock.give(passphrase)
      return own.restart()
    }
  }
  const ipc = new Ipc({ bridge, topics, context })

  announceNotices(notices, (alertId) => {
    void engines.leaveReview()
    const [window] = BrowserWindow.getAllWindows()
    if (window) window.show()
    else openWindow()
    topics.push('shell.command', { command: alertId === null ? 'compliance' : 'drift' })
  })
  const openWindow = (): void => {
    const window = openMainWindow({
      preload: join(built, 'preload', 'index.cjs'),
      devTools: !app.isPackaged,
      remembered: preferences.window,
      remember: (bounds) => remember({ window: bounds })
    })
    ipc.attach(window)
  }
  const command = (name: ShellTopicEvent<'shell.command'>['command']): void => topics.push('shell.command', { command: name })
  Menu.setApplicationMenu(
    applicationMenu({
      command,
      openWorkspace: () => {
        const owner = BrowserWindow.getFocusedWindow() ?? BrowserWindow.getAllWindows()[0]
        if (owner) void openWorkspace(owner)
      },
      devTools: !app.isPackaged
    })
  )

  files.onChange(() => command('file'))
  app.on('second-instance', (_event, argv, cwd) => {
    files.offer(bundleIn(argv, cwd))
    const [window] = BrowserWindow.getAllWindows()
    if (!window) return openWindow()
    if (window.isMinimized()) window.restore()
    window.focus()
  })
  app.on('activate', () => {
    if (BrowserWindow.getAllWindows().length === 0) openWindow()
  })
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit()
  })
  let stopped = false
  app.on('will-quit', (event) => {
    if (stopped) return
    // The engine writes its last checkpoint before the app ends.
    event.preventDefault()
    void engines.stop().then(() => {
      stopped = true
      app.quit()
    })
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => app.quit())

  own.start()
  files.offer(bundleIn(process.argv, process.cwd()))
  openWindow()
}

const command = commandLineArguments(process.argv)
if (command !== null) await runCommandLine(command, join(import.meta.dirname, 'cli.js'))

// macOS names the file that the app was started with before the app is ready.
app.on('open-file', (event, path) => {
  event.preventDefault()
  files.offer(bundleIn(['', path], '/'))
})

const userData = app.commandLine.getSwitchValue('user-data-dir')
if (userData !== '') app.setPath('userData', userData)
// Root has no sandbox in Chromium and must say so itself with --no-sandbox; forcing it then ends every child process.
if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox()
registerScheme()
app.on('web-contents-created', (_event, contents) => confine(contents))

const page = pageToPrint()
if (page !== null) {
  app.whenReady().then(
    () => printAndExit(page),
    () => app.exit(1)
  )
} else if (app.requestSingleInstanceLock()) {
  privateFolder(app.getPath('userData'))
  const config = readConfig()
  app.whenReady().then(
    () => run(config),
    () => app.exit(1)
  )
} else {
  app.quit()
}
