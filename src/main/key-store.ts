// SPDX-License-Identifier: Apache-2.0
import { safeStorage } from 'electron'
import type { KeyReply, KeyRequest } from '../shared/contract/wire.ts'

/**
 * How the engine's keys can be protected here. On Linux without a key store, Electron falls back to a fixed password: that is obfuscation,
 * so it counts as none.
 */
export function keyProtection(): 'safe-storage' | 'file' {
  if (!safeStorage.isEncryptionAvailable()) return 'file'
  if (process.platform === 'linux' && ['basic_text', 'unknown'].includes(safeStorage.getSelectedStorageBackend())) return 'file'
  return 'safe-storage'
}

/** Wraps or unwraps for the engine; all values are base64. Nothing of it is logged and no error text leaves, only `ok: false`. */
export function answerKeyRequest(request: KeyRequest): KeyReply {
  try {
    if (keyProtection() !== 'safe-storage') throw new Error('no key store')
    const value =
      request.kind === 'keys.wrap'
        ? safeStorage.encryptString(request.plaintext).toString('base64')
        : safeStorage.decryptString(Buffer.from(request.wrapped, 'base64'))
    return { kind: 'keys.reply', id: request.id, ok: true, value }
  } catch {
    return { kind: 'keys.reply', id: request.id, ok: false, value: '' }
  }
}
