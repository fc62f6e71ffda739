// SPDX-License-Identifier: Apache-2.0
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { app, BrowserWindow, Menu, nativeTheme, session } from 'electron'
import { ZodError } from 'zod'
import type { ShellTopicEvent } from '../shared/contract/shell.ts'
import { type MainConfig, mainConfig } from './config.ts'
import { pickWorkspace } from './dialogs.ts'
import { EngineBridge } from './engine-bridge.ts'
import { EngineProcess } from './engine-process.ts'
import { Ipc } from './ipc.ts'
import { answerKeyRequest, keyProtection } from './key-store.ts'
import { applicationMenu } from './menu.ts'
import { confine } from './navigation.ts'
import { announceAlerts } from './notices.ts'
import { answerPrintRequest } from './pdf.ts'
import { denyNetwork, denyPermissions } from './permissions.ts'
import { type Preferences, readPreferences, writePreferences } from './preferences.ts'
import { pageToPrint, printAndExit } from './print-page.ts'
import { registerScheme, servePage } from './protocol.ts'
import { Sample } from './sample.ts'
import { type ShellContext, themeNow } from './shell-operations.ts'
import { ShellTopics } from './shell-topics.ts'
import { openMainWindow } from './window.ts'

/** Folder of the built files: main and engine lie beside each other, preload and page next to that. */
const built = join(import.meta.dirname, '..')

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
  const sample = new Sample(app.getPath('userData'))
  const workspace = (): string => (sample.isOpen ? sample.path : (config.workspace ?? preferences.workspace ?? config.defaultWorkspace))
  nativeTheme.themeSource = preferences.theme

  const page = session.defaultSession
  servePage(page, join(built, 'renderer'), config.devServer)
  denyPermissions(page)
  denyNetwork(page, config.devServer)

  const engine = new EngineProcess({
    entry: join(built, 'main', 'engine.js'),
    config: () => ({
      workspace: workspace(),
      state: config.state,
      compliance: config.compliance,
      drift: config.drift,
      appVersion: app.getVersion(),
      keyProtection: keyProtection(),
      prints: true,
      ...sample.config,
      allowedHosts: config.allowedHosts,
      ...(config.passphraseFile === null ? {} : { passphraseFile: config.passphraseFile })
    }),
    answerKeyRequest,
    answerPrintRequest,
    onMessage: (message) => bridge.fromEngine(message),
    onState: (state) => {
      bridge.engineChanged()
      topics.push('shell.engine', state)
    }
  })
  const bridge = new EngineBridge({ send: (message) => engine.send(message), state: () => engine.state })
  const topics = new ShellTopics({ 'shell.engine': () => engine.state, 'shell.theme': themeNow })
  nativeTheme.on('updated', () => topics.push('shell.theme', themeNow()))

  const openWorkspace = async (owner: BrowserWindow): Promise<string | null> => {
    const chosen = await pickWorkspace(owner)
    if (chosen === null) return null
    sample.set(false)
    remember({ workspace: chosen })
    await engine.restart()
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
      sample.set(true)
      await engine.restart()
    },
    leaveSample: async () => {
      sample.set(false)
      await engine.restart()
      sample.remove()
    },
    restartEngine: () => engine.restart()
  }
  const ipc = new Ipc({ bridge, topics, context })

  announceAlerts(bridge, () => {
    const [window] = BrowserWindow.getAllWindows()
    if (window) window.show()
    else openWindow()
    topics.push('shell.command', { command: 'drift' })
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

  app.on('second-instance', () => {
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
    void engine.stop().then(() => {
      stopped = true
      app.quit()
    })
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => app.quit())

  engine.start()
  openWindow()
}

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
