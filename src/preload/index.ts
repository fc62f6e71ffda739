// SPDX-License-Identifier: Apache-2.0
import { contextBridge, ipcRenderer, webUtils } from 'electron'
import { FROM_MAIN, TO_MAIN } from '../shared/contract/channels.ts'
import type { Reply } from '../shared/contract/errors.ts'
import type { ShellBridge } from '../shared/contract/shell.ts'
import type { FromEngine, ToEngine } from '../shared/contract/wire.ts'

const calls = new Map<string, (reply: Reply<unknown>) => void>()
const listeners = new Map<string, (event: unknown) => void>()
let next = 0

const newId = (): string => {
  next += 1
  return String(next)
}
const post = (message: ToEngine): void => ipcRenderer.send(TO_MAIN, message)

ipcRenderer.on(FROM_MAIN, (_event, message: FromEngine) => {
  if (message.kind === 'event') {
    listeners.get(message.id)?.(message.event)
    return
  }
  const answer = calls.get(message.id)
  calls.delete(message.id)
  answer?.(message.reply)
})

const bridge: ShellBridge = {
  call: (op, input, onCancel) => {
    const id = newId()
    const reply = new Promise<Reply<unknown>>((resolve) => calls.set(id, resolve))
    post({ kind: 'call', id, op, input })
    onCancel?.(() => {
      if (calls.has(id)) post({ kind: 'cancel', id })
    })
    return reply
  },
  subscribe: (topic, input, listener) => {
    const id = newId()
    listeners.set(id, listener)
    post({ kind: 'subscribe', id, topic, input })
    return () => {
      if (listeners.delete(id)) post({ kind: 'unsubscribe', id })
    }
  },
  pathForFile: (file) => webUtils.getPathForFile(file as File)
}

contextBridge.exposeInMainWorld('affidavit', bridge)
