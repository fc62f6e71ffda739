// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scriptOf, scripts } from './script.ts'

describe('scriptOf', () => {
  it('names the script most letters belong to', () => {
    expect(scriptOf('The answer is 42.')).toBe('latin')
    expect(scriptOf('Réponse à la première question')).toBe('latin')
    expect(scriptOf('Ответ на первый вопрос')).toBe('cyrillic')
    expect(scriptOf('Η απάντηση')).toBe('greek')
    expect(scriptOf('الجواب')).toBe('arabic')
    expect(scriptOf('התשובה')).toBe('hebrew')
    expect(scriptOf('उत्तर है')).toBe('devanagari')
    expect(scriptOf('คำตอบ')).toBe('thai')
    expect(scriptOf('日本語で答える')).toBe('japanese')
    expect(scriptOf('你的回答在这里')).toBe('han')
    expect(scriptOf('대답은 다음과 같습니다')).toBe('hangul')
    expect(scriptOf('ответ: yes, да, конечно')).toBe('cyrillic')
  })
  it('says none without a letter, and other for a script it does not know', () => {
    for (const text of ['', '12 + 30 = 42', '🙂🙂', '\ud800']) expect(scriptOf(text)).toBe('none')
    expect(scriptOf('პასუხი')).toBe('other')
  })
  it('is quick and total for any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => scripts.includes(scriptOf(text))))
    expect(scriptOf('x'.repeat(10_000_000))).toBe('latin')
  })
})
