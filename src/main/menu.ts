// SPDX-License-Identifier: Apache-2.0
import { app, Menu, type MenuItemConstructorOptions } from 'electron'
import { type ShellTopicEvent, sections } from '../shared/contract/shell.ts'

type Command = ShellTopicEvent<'shell.command'>['command']

export interface MenuActions {
  readonly command: (command: Command) => void
  readonly openWorkspace: () => void
  readonly devTools: boolean
}

/** The application menu. Keys of the page are shown beside the entries but handled by the page, which knows when a person is typing. */
export function applicationMenu(actions: MenuActions): Menu {
  const entry = (label: string, command: Command, accelerator?: string): MenuItemConstructorOptions => ({
    label,
    click: () => actions.command(command),
    ...(accelerator === undefined ? {} : { accelerator, registerAccelerator: false })
  })
  const mac = process.platform === 'darwin'
  const template: MenuItemConstructorOptions[] = [
    ...(mac ? [{ role: 'appMenu' } satisfies MenuItemConstructorOptions] : []),
    {
      label: 'File',
      submenu: [
        { label: 'Open workspace…', click: actions.openWorkspace },
        { type: 'separator' },
        entry('Import…', 'import'),
        entry('Export…', 'export'),
        entry('Verify a bundle…', 'verify'),
        { type: 'separator' },
        { role: mac ? 'close' : 'quit' }
      ]
    },
    { role: 'editMenu' },
    {
      label: 'View',
      submenu: [
        entry('Commands', 'palette', 'CmdOrCtrl+K'),
        { type: 'separator' },
        ...sections.map((name, i) => entry(name.charAt(0).toUpperCase() + name.slice(1), name, `CmdOrCtrl+${i + 1}`)),
        { type: 'separator' },
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { role: 'togglefullscreen' },
        ...(actions.devTools ? [{ type: 'separator' } as const, { role: 'reload' } as const, { role: 'toggleDevTools' } as const] : [])
      ]
    },
    { role: 'windowMenu' },
    {
      role: 'help',
      submenu: [{ label: `${app.name} ${app.getVersion()}`, enabled: false }]
    }
  ]
  return Menu.buildFromTemplate(template)
}
