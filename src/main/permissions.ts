// SPDX-License-Identifier: Apache-2.0
import type { Session } from 'electron'
import { isOwnAddress, parseAddress } from './origin.ts'

/**
 * Denies every permission but one: the page's own main frame may write text to the clipboard after a gesture, for its copy buttons. Reading
 * the clipboard, notifications, devices, media, location and the rest are refused without asking.
 */
export function denyPermissions(session: Session): void {
  const mayCopy = (permission: string, address: string, mainFrame: boolean): boolean =>
    permission === 'clipboard-sanitized-write' && mainFrame && isOwnAddress(address)
  session.setPermissionRequestHandler((_contents, permission, answer, details) =>
    answer(mayCopy(permission, details.requestingUrl, details.isMainFrame))
  )
  session.setPermissionCheckHandler((_contents, permission, _origin, details) =>
    mayCopy(permission, details.requestingUrl ?? '', details.isMainFrame)
  )
  session.setDevicePermissionHandler(() => false)
  session.setDisplayMediaRequestHandler((_request, answer) => answer({}))
  session.setSpellCheckerEnabled(false)
  session.on('will-download', (event) => event.preventDefault())
}

/** Lets no request of the page leave for the network: everything it is made of comes from its own origin. */
export function denyNetwork(session: Session, devServer: string | null): void {
  const devHost = devServer === null ? null : new URL(devServer).host
  session.webRequest.onBeforeRequest((details, answer) => {
    const url = parseAddress(details.url)
    const own =
      url !== null &&
      (isOwnAddress(details.url) ||
        ['data:', 'blob:', 'devtools:'].includes(url.protocol) ||
        (devHost !== null && url.host === devHost && ['http:', 'ws:'].includes(url.protocol)))
    answer({ cancel: !own })
  })
}
