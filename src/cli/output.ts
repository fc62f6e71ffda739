// SPDX-License-Identifier: Apache-2.0

/** Exit codes of every command (PRODUCT, Command line). */
export const EXIT = { done: 0, negative: 1, usage: 2 } as const

// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal takes for a command of its own.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** A name in a file or a bundle may be written so that a terminal does what it says. */
const shown = (line: string): string => line.replace(CONTROL, '\ufffd')

let closed = false
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  closed = true
})

/** Whoever reads stdout has seen enough (`| head`): nothing more is written there. */
export const outputClosed = (): boolean => closed

/** Waits until what was printed has been taken. */
export const printed = (): Promise<void> =>
  closed || !process.stdout.writableNeedDrain
    ? Promise.resolve()
    : new Promise((resolve) => {
        const done = (): void => {
          process.stdout.off('drain', done).off('error', done)
          resolve()
        }
        process.stdout.on('drain', done).on('error', done)
      })

/** One line on stdout; without control characters where it is a terminal. */
export const print = (line: string): void => {
  if (!closed) process.stdout.write(`${process.stdout.isTTY ? shown(line) : line}\n`)
}

/** One line on stderr: progress and messages, never results. */
export const say = (line: string): void => {
  process.stderr.write(`${shown(line)}\n`)
}

/** A progress line that overwrites itself on a terminal and stays quiet elsewhere. */
export function progressLine(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${text}`)
}

/** Ends the progress line. */
export function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K')
}
