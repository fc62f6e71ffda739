// SPDX-License-Identifier: Apache-2.0

/** Exit codes of every command (PRODUCT, Command line). */
export const EXIT = { done: 0, negative: 1, usage: 2 } as const

/** One line on stdout. */
export const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

/** One line on stderr: progress and messages, never results. */
export const say = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

/** A progress line that overwrites itself on a terminal and stays quiet elsewhere. */
export function progressLine(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${text}`)
}

/** Ends the progress line. */
export function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K')
}
