// SPDX-License-Identifier: Apache-2.0
import { BrowserWindow, ipcMain, type WebContents, type WebFrameMain } from 'electron'
import { FROM_MAIN, TO_MAIN } from '../shared/contract/channels.ts'
import type { EngineBridge, Peer } from './engine-bridge.ts'
import { isOwnAddress } from './origin.ts'
import { callShell, type ShellContext } from './shell-operations.ts'
import type { ShellTopics } from './shell-topics.ts'
import { guardMessage } from './wire-guard.ts'

export interface IpcOptions {
  readonly bridge: EngineBridge
  readonly topics: ShellTopics
  readonly context: ShellContext
}

/** Takes the messages of the windows. THE one place where main listens to pages. */
export class Ipc {
  readonly #options: IpcOptions
  readonly #peers = new Map<number, Peer>()

  constructor(options: IpcOptions) {
    this.#options = options
    ipcMain.on(TO_MAIN, (event, value: unknown) => {
      const peer = this.#trusted(event.sender, event.senderFrame)
      if (peer !== null) this.#receive(peer, event.sender, value)
    })
  }

  /** Makes a window known. Messages of any other are ignored. */
  attach(window: BrowserWindow): void {
    const { webContents } = window
    const { id } = webContents
    this.#peers.set(id, {
      id,
      send: (message) => {
        if (!webContents.isDestroyed()) webContents.send(FROM_MAIN, message)
      }
    })
    const forget = (): void => {
      this.#options.bridge.detach(id)
      this.#options.topics.detach(id)
    }
    webContents.on('did-start-navigation', (details) => {
      if (details.isMainFrame && !details.isSameDocument) forget()
    })
    webContents.on('render-process-gone', forget)
    webContents.once('destroyed', () => {
      forget()
      this.#peers.delete(id)
    })
  }

  /** A sender is trusted when it is the main frame of a known window and shows the page's own origin. Others get no answer at all. */
  #trusted(contents: WebContents, frame: WebFrameMain | null): Peer | null {
    const peer = this.#peers.get(contents.id)
    if (peer === undefined || frame === null || frame.parent !== null || frame !== contents.mainFrame) return null
    return isOwnAddress(frame.url) ? peer : null
  }

  #receive(peer: Peer, contents: WebContents, value: unknown): void {
    const guarded = guardMessage(value)
    if (!guarded.ok) {
      if (guarded.id !== null) peer.send({ kind: 'reply', id: guarded.id, reply: { ok: false, error: guarded.error } })
      return
    }
    const { message } = guarded
    const { bridge, topics, context } = this.#options
    if (message.kind === 'call' && message.op.startsWith('shell.')) {
      const owner = BrowserWindow.fromWebContents(contents)
      if (owner === null) return
      void callShell(message.op, message.input, owner, context).then((reply) => peer.send({ kind: 'reply', id: message.id, reply }))
    } else if (message.kind === 'subscribe' && message.topic.startsWith('shell.')) topics.subscribe(peer, message.id, message.topic)
    else if (message.kind !== 'unsubscribe' || !topics.unsubscribe(peer, message.id)) bridge.receive(peer, message)
  }
}
