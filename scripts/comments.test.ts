// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { stripComments } from './comments.ts'

describe('stripComments', () => {
  it('removes both kinds', () => {
    expect(stripComments('a // process.env\nb /* ipcMain\n ipcMain */ c')).toBe('a  \nb   c')
  })
  it('leaves strings, templates and regular expressions alone', () => {
    const code = 'const a = \'https://x\' + "/* no */" + `// b`\nconst c = /[/]\\/\\/ x/.test(d)\nprocess.env.X'
    expect(stripComments(code)).toBe(code)
  })
  it('does not take a division for a regular expression', () => {
    expect(stripComments('x = a / b // c / d')).toBe('x = a / b  ')
  })
})
