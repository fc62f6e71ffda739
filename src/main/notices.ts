// SPDX-License-Identifier: Apache-2.0
import { Notification } from 'electron'
import { notice } from '../shared/contract/webhooks.ts'
import type { FromEngine } from '../shared/contract/wire.ts'
import type { EngineBridge } from './engine-bridge.ts'

/** The bridge's peer of the shell itself; windows have positive ids. */
const SHELL = -1

/**
 * Shows each alert that opens, a record that does not verify and failing recording as a notification of the system, where the system has them. The engine sends
 * no alerts when the setting is off.
 * @param opened called with the alert a person clicked on; null: it is about the record itself
 */
export function announceNotices(bridge: EngineBridge, opened: (alertId: string | null) => void): void {
  const show = (message: FromEngine): void => {
    if (message.kind !== 'event' || !Notification.isSupported()) return
    const parsed = notice.safeParse(message.event)
    if (!parsed.success) return
    const { title, body, alert_id } = parsed.data
    const shown = new Notification({ title, body })
    shown.on('click', () => opened(alert_id))
    shown.show()
  }
  bridge.receive({ id: SHELL, send: show }, { kind: 'subscribe', id: 'notices', topic: 'notices', input: {} })
}
