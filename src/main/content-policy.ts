// SPDX-License-Identifier: Apache-2.0

/**
 * The content security policy of the page. `devServer` loosens it just enough for hot reloading: a socket to that server, the nonce for
 * its inline preamble, and no Trusted Types, which its error overlay does not meet.
 */
export function contentPolicy(nonce: string, devServer: string | null): string {
  const dev = devServer === null ? null : new URL(devServer).host
  return [
    "default-src 'none'",
    `script-src 'self'${dev === null ? '' : ` 'nonce-${nonce}'`}`,
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src 'self'${dev === null ? '' : ` ws://${dev}`}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    ...(dev === null ? ["require-trusted-types-for 'script'", 'trusted-types default'] : [])
  ].join('; ')
}
