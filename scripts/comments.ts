// SPDX-License-Identifier: Apache-2.0

/**
 * TypeScript without its comments, for searching words. Strings keep their content. A `//` or `/*` inside a regular expression literal is
 * taken for a comment when the literal is not recognisable; that hides text from a search, so such a line is better rewritten.
 */
export function stripComments(code: string): string {
  const token =
    /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\/|(?<=[=(,:;!&|?{}[\n]\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g
  return code.replace(token, (found) => (found.startsWith('//') || found.startsWith('/*') ? ' ' : found))
}
