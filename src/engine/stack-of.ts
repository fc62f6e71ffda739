// SPDX-License-Identifier: Apache-2.0

/** Where something failed, for the log. The message of a SyntaxError quotes what was parsed, which may be content: it is left out. */
export function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const { message, name, stack = '' } = error
  return error instanceof SyntaxError ? stack.replace(message, name) : stack
}
