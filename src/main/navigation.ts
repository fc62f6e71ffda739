// SPDX-License-Identifier: Apache-2.0
import { BrowserWindow, dialog, shell, type WebContents } from 'electron'
import { parseAddress } from './origin.ts'

/** An https address without credentials, in its parsed form, or null. */
export function externalAddress(address: string): URL | null {
  const url = parseAddress(address)
  if (url === null || url.protocol !== 'https:' || url.username !== '' || url.password !== '' || url.hostname === '') return null
  return url
}

/** The one gate to the outside: https only, and only after the person has seen the whole address and agreed. */
export async function openExternal(owner: WebContents, address: string): Promise<boolean> {
  const url = externalAddress(address)
  if (url === null) return false
  const options = {
    type: 'question',
    message: `Open ${url.hostname} in the browser?`,
    detail: url.href,
    buttons: ['Open', 'Cancel'],
    defaultId: 1,
    cancelId: 1,
    noLink: true
  } satisfies Electron.MessageBoxOptions
  const window = BrowserWindow.fromWebContents(owner)
  const { response } = await (window ? dialog.showMessageBox(window, options) : dialog.showMessageBox(options))
  if (response !== 0) return false
  await shell.openExternal(url.href)
  return true
}

/** Keeps `contents` on the page's own document: no navigation, no frames, no new windows, no webview. A link to the outside goes through the gate. */
export function confine(contents: WebContents): void {
  const deny = (event: { preventDefault(): void }): void => event.preventDefault()
  // A reload of the page's own document does not raise these events.
  contents.on('will-navigate', deny)
  contents.on('will-frame-navigate', deny)
  contents.on('will-redirect', deny)
  contents.on('will-attach-webview', deny)
  contents.setWindowOpenHandler(({ url }) => {
    void openExternal(contents, url)
    return { action: 'deny' }
  })
}
