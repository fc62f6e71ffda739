// SPDX-License-Identifier: Apache-2.0
// Files of keys that were confirmed outside a bundle. People keep other keys in them too: what is not of this log is passed over.

/** The lines of a file of confirmed keys, whatever an editor put around them: a byte-order mark, spaces, either line ends; no blank lines, no comments. */
export const confirmedLines = (text: string): string[] =>
  text
    .replace(/^\ufeff/, '')
    .split('\n')
    .map((line) => line.replace(/^[ \t]+/, '').replace(/[ \t\r]+$/, ''))
    .filter((line) => line !== '' && !line.startsWith('#'))
