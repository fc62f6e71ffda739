// SPDX-License-Identifier: Apache-2.0
import { BrowserWindow, nativeTheme, screen } from 'electron'
import { START_URL } from './origin.ts'
import type { Preferences } from './preferences.ts'
import { MIN_SIZE, visibleBounds } from './window-bounds.ts'

const DEFAULT_SIZE = { width: 1280, height: 800 } as const
/** Height of the page's top bar, which the window controls lie over on Windows. */
const TOP_BAR = 44

const colors = () =>
  nativeTheme.shouldUseDarkColors ? { background: '#0F1113', symbol: '#E7E9EB' } : { background: '#F3F3F0', symbol: '#191B1D' }

function titleBar(): Electron.BrowserWindowConstructorOptions {
  switch (process.platform) {
    case 'darwin':
      return { titleBarStyle: 'hiddenInset' }
    case 'win32':
      return { titleBarStyle: 'hidden', titleBarOverlay: { color: colors().background, symbolColor: colors().symbol, height: TOP_BAR } }
    default:
      return { autoHideMenuBar: true }
  }
}

export interface MainWindowOptions {
  readonly preload: string
  readonly devTools: boolean
  readonly remembered: Preferences['window']
  readonly remember: (window: NonNullable<Preferences['window']>) => void
}

/** Opens the window on the page. It appears with its first paint, in the colours of the theme. */
export function openMainWindow(options: MainWindowOptions): BrowserWindow {
  const bounds = visibleBounds(
    options.remembered,
    screen.getAllDisplays().map((display) => display.workArea)
  )
  const window = new BrowserWindow({
    ...(bounds ?? DEFAULT_SIZE),
    minWidth: MIN_SIZE.width,
    minHeight: MIN_SIZE.height,
    show: false,
    title: 'Affidavit',
    backgroundColor: colors().background,
    ...titleBar(),
    webPreferences: {
      preload: options.preload,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
      spellcheck: false,
      navigateOnDragDrop: false,
      devTools: options.devTools
    }
  })
  if (options.remembered?.maximized) window.maximize()
  window.once('ready-to-show', () => window.show())

  const follow = (): void => {
    window.setBackgroundColor(colors().background)
    if (process.platform === 'win32')
      window.setTitleBarOverlay({ color: colors().background, symbolColor: colors().symbol, height: TOP_BAR })
  }
  nativeTheme.on('updated', follow)
  window.on('close', () => options.remember({ ...window.getNormalBounds(), maximized: window.isMaximized() }))
  window.on('closed', () => nativeTheme.off('updated', follow))

  let reloads = 0
  window.webContents.on('render-process-gone', (_event, details) => {
    // A page that keeps ending would otherwise be loaded for ever.
    if (details.reason === 'clean-exit' || reloads >= 3) return
    reloads += 1
    window.webContents.reload()
  })
  void window.loadURL(START_URL)
  return window
}
