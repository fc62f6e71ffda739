// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { builtInDetectors, type Detectors, detect } from './detect.ts'
import { ibanHolds } from './iban.ts'
import { builtInPacks, normaliseIdentifier, type Pack } from './kinds.ts'
import { LinearPattern } from './linear-pattern.ts'
import { Masker } from './mask.ts'
import { isNir, isSteuerId, luhn } from './numbers.ts'

/** What is found, as `kind:text`. */
const found = (text: string, detectors: Detectors = builtInDetectors): string[] =>
  detect(text, detectors).map(({ kind, start, end }) => `${kind}:${text.slice(start, end)}`)
const only = (...packs: Pack[]): Detectors => ({ packs: new Set(packs), own: [] })

describe('published examples', () => {
  // Numbers that the payment networks publish for tests.
  it.each([
    '4111111111111111',
    '4111 1111 1111 1111',
    '4242-4242-4242-4242',
    '4222222222222',
    '5555555555554444',
    '5105 1051 0510 5100',
    '2223003122003222',
    '378282246310005',
    '3714 496353 98431',
    '6011111111111117',
    '6011 0009 9013 9424',
    '3530111333300000',
    '30569309025904',
    '38520000023237',
    '6240008631401148'
  ])('card %s', (card) => {
    expect(found(`Pay with ${card}, please.`)).toEqual([`card:${card}`])
    const wrong = card.replace(/\d(?=\D*$)/, (d) => String((Number(d) + 1) % 10))
    expect(found(`Pay with ${wrong}, please.`).filter((one) => one.startsWith('card'))).toEqual([])
  })

  // Examples of the ISO 13616 registry.
  it.each([
    'DE89 3704 0044 0532 0130 00',
    'GB29NWBK60161331926819',
    'FR14 2004 1010 0505 0001 3M02 606',
    'CH93 0076 2011 6238 5295 7',
    'NO93 8601 1117 947',
    'NL91ABNA0417164300',
    'BE68 5390 0754 7034',
    'ES91 2100 0418 4502 0005 1332',
    'IT60 X054 2811 1010 0000 0123 456',
    'AT61 1904 3002 3457 3201',
    'SE45 5000 0000 0583 9825 7466',
    'PL61 1090 1014 0000 0712 1981 2874',
    'SA03 8000 0000 6080 1016 7519',
    'MT84 MALT 0110 0001 2345 MTLC AST0 01S'
  ])('IBAN %s', (iban) => {
    expect(found(`to ${iban} by Friday`)).toEqual([`IBAN:${iban}`])
    expect(
      found(`to ${iban.replace(/\d/, (d) => String((Number(d) + 1) % 10))} by Friday`).filter((one) => one.startsWith('IBAN'))
    ).toEqual([])
  })

  it('e-mail addresses', () => {
    for (const address of [
      'ann@example.org',
      'first.last+tag@sub.example.co.uk',
      "o'hara@example.com",
      'x_y-z@xn--bcher-kva.example',
      'jörg@müller.example',
      'a@b.museum'
    ])
      expect(found(`Write to <${address}>.`)).toEqual([`e-mail:${address}`])
    expect(found('mailto:ann@example.org, bob@example.org; see ann@example.org.')).toHaveLength(3)
    for (const none of [
      '@example.org',
      'ann@',
      'ann@localhost',
      'a@1.2',
      'user@@example.org.',
      'x.@example.org',
      'decorator @Component()',
      'git@github'
    ])
      expect(found(none)).toEqual([])
  })

  it('telephone numbers in international and common national forms', () => {
    // Ranges that regulators set aside for fiction (NANPA 555-01XX, Ofcom, Bundesnetzagentur, ARCEP).
    for (const number of [
      '+14155550123',
      '+1 (415) 555-0123',
      '+44 20 7946 0958',
      '+49 (0)30 23125 014',
      '+33 1 99 00 12 34',
      '0044 20 7946 0958',
      '(415) 555-0123',
      '415-555-0123',
      '415.555.0123',
      '1-212-555-0199',
      '020 7946 0958',
      '07700 900123',
      '030 23125014',
      '0171/3920012',
      '01 99 00 12 34',
      '+86 139 1234 5678'
    ])
      expect(
        found(`call ${number} today`).map((one) => one.replace(':(', ':').replace(')', '')),
        number
      ).toEqual([`phone:${number.replace(/^\(/, '').replace(')', '')}`])
    for (const none of [
      '2026-11-23 14:31:34',
      '01-02-2024',
      'version 1.22.333.4444',
      '192.168.100.200',
      '1,284,901 leaves',
      '12 345 678 rows',
      '3.14159265358979',
      'order 1234567890',
      '10:15 11:20 12:30',
      '0.5 1.25 2.75',
      '00000000000',
      '9 8 7 6 5 4 3 2 1 0',
      '19671 is a prime number'
    ])
      expect(found(none), none).toEqual([])
  })

  it('national ids', () => {
    expect(found('SSN 123-45-6789, 001 01 0001')).toEqual(['US SSN:123-45-6789', 'US SSN:001 01 0001'])
    for (const none of [
      '000-12-3456',
      '666-12-3456',
      '900-12-3456',
      '123-00-4567',
      '123-45-0000',
      '078-05-1120',
      '219-09-9999',
      '123-45-67890',
      '1123-45-6789'
    ])
      expect(found(none, only('national_id')), none).toEqual([])
    expect(found('NINO QQ123456C is a specimen; AB123456C and ab 12 34 56 d are not')).toEqual([
      'UK NINO:AB123456C',
      'UK NINO:ab 12 34 56 d'
    ])
    for (const none of ['BG123456A', 'GB123456A', 'TN123456A', 'ZZ123456A', 'DA123456A', 'AO123456A', 'AB123456E', 'AB1234567'])
      expect(found(none, only('national_id')), none).toEqual([])
    // Test numbers of the German tax office's own documentation.
    expect(found('Steuer-ID 86095742719, 47 036 892 816, 65929970489')).toEqual([
      'DE tax id:86095742719',
      'DE tax id:47 036 892 816',
      'DE tax id:65929970489'
    ])
    expect(isSteuerId('86095742718')).toBe(false)
    expect(isSteuerId('12345678901')).toBe(false)
    // INSEE's example, and one of Corsica.
    expect(found('NIR 2 55 08 14 168 025 38, 255081416802538')).toEqual(['FR NIR:2 55 08 14 168 025 38', 'FR NIR:255081416802538'])
    expect(isNir('255081416802539')).toBe(false)
    const corsica = `180072A00400${String(97 - (1_800_719_004_003 % 97)).padStart(2, '0')}`.replace('00400', '004003')
    expect(found(`né à Ajaccio, ${corsica}`)).toEqual([`FR NIR:${corsica}`])
  })

  it('secrets with a telling form', () => {
    const alnum = 'aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY'
    const secrets = [
      `sk-${alnum}${alnum}`,
      `sk-proj-${alnum}_-${alnum}`,
      `sk-ant-api03-${alnum}-${alnum}AA`,
      'AKIAIOSFODNN7EXAMPLE',
      'ASIAIOSFODNN7EXAMPLE',
      `ghp_${alnum}aBcD`,
      `github_pat_11ABCDEFG0${alnum}`,
      `xoxb-123456789012-${alnum}`,
      `AIza${alnum}aB_`,
      `sk_live_${alnum}`,
      `glpat-${alnum}`,
      `hf_${alnum}`,
      // RFC 7519 3.1.
      'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
      '-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu\n-----END RSA PRIVATE KEY-----'
    ]
    for (const one of secrets) expect(found(`key=${one} end`)).toEqual([`secret:${one}`])
    for (const none of [
      'task-force-of-the-century-starts',
      'sk-short',
      'AKIA',
      'eyJhbGci',
      '-----BEGIN PUBLIC KEY-----',
      'disk-abcdefghijklmnopqrstuvwxyz'
    ])
      expect(found(none), none).toEqual([])
    expect(found('-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk')).toEqual([
      'secret:-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk'
    ])
  })

  it('finds each of many in one text, in order, and only what is switched on', () => {
    const text = 'ann@example.org pays DE89370400440532013000 with 4111 1111 1111 1111 4242 4242 4242 4242, tel. +44 20 7946 0958.'
    expect(found(text)).toEqual([
      'e-mail:ann@example.org',
      'IBAN:DE89370400440532013000',
      'card:4111 1111 1111 1111',
      'card:4242 4242 4242 4242',
      'phone:+44 20 7946 0958'
    ])
    expect(found(text, only('iban'))).toEqual(['IBAN:DE89370400440532013000'])
    expect(found(text, only())).toEqual([])
  })

  it('checks digits as published', () => {
    expect([luhn('79927398713'), luhn('79927398710'), ibanHolds('GB82WEST12345698765432'), ibanHolds('GB82WEST1234569876543')]).toEqual([
      true,
      false,
      true,
      false
    ])
  })
})

describe('masks', () => {
  it('name the kind and number equal values alike, in every form of JSON', () => {
    const masker = new Masker(builtInDetectors)
    const text =
      'From ann@example.org to bob@example.org; ANN@example.org again. IBAN DE89 3704 0044 0532 0130 00 = DE89370400440532013000.'
    expect(masker.text(text)).toBe('From ⟦e-mail 1⟧ to ⟦e-mail 2⟧; ⟦e-mail 1⟧ again. IBAN ⟦IBAN 1⟧ = ⟦IBAN 1⟧.')
    const value = { plain: ['nothing', 7, null, true], deep: { to: 'bob@example.org' } }
    expect(masker.json(value)).toEqual({ plain: value.plain, deep: { to: '⟦e-mail 2⟧' } })
    expect(masker.json(value.plain)).toBe(value.plain)
    expect(masker.whole('U-17', 'subject')).toBe('⟦subject 1⟧')
    expect(masker.counts).toEqual({ IBAN: 2, 'e-mail': 4, subject: 1 })
    expect(new Masker(builtInDetectors, 'redact').text('ann@example.org')).toBe('⟦redacted e-mail 1⟧')
  })

  it('leave nothing to find, and everything else as it was', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom(
        ' ',
        'ann@example.org',
        'DE89370400440532013000',
        '4111 1111 1111 1111',
        '123-45-6789',
        'AKIAIOSFODNN7EXAMPLE',
        '+442079460958',
        '@',
        '-',
        '+',
        '(0)',
        '4',
        '\u27e6'
      )
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('')
        const places = detect(text, builtInDetectors)
        const orderly = places.every(({ start, end }, i) => start >= (places[i - 1]?.end ?? 0) && end > start && end <= text.length)
        expect(orderly).toBe(true)
        expect(new Masker(builtInDetectors).text(text).replace(/\u27e6[^\u27e6]* \d+\u27e7/g, '').length).toBeLessThanOrEqual(text.length)
      })
    )
  })

  it('compares identifiers however they are written', () => {
    expect(normaliseIdentifier(' Ann@Example.ORG ')).toBe('ann@example.org')
    expect(normaliseIdentifier('+44 (20) 7946-0958')).toBe('+442079460958')
    expect(normaliseIdentifier('DE89 3704 0044 0532 0130 00')).toBe('de89370400440532013000')
    expect(normaliseIdentifier('user 17')).toBe('user 17')
  })
})

describe('hostile texts', () => {
  const size = 50_000
  it.each([
    ['a'.repeat(size)],
    ['1'.repeat(size)],
    ['1 '.repeat(size / 2)],
    ['@'.repeat(size)],
    ['a@'.repeat(size / 2)],
    [`${'a.'.repeat(size / 2)}@`],
    [`@${'a.'.repeat(size / 2)}`],
    ['DE89'.repeat(size / 4)],
    ['DE89 '.repeat(size / 5)],
    ['eyJ'.repeat(size / 3)],
    ['sk-'.repeat(size / 3)],
    ['-----BEGIN PRIVATE KEY-----'.repeat(size / 27)],
    ['-----BEGIN '.repeat(size / 11)],
    ['+1 '.repeat(size / 3)],
    ['0 '.repeat(size / 2)],
    ['4111 '.repeat(size / 5)],
    ['(('.repeat(size / 2)],
    ['AB 12 '.repeat(size / 6)],
    ['\u27e6'.repeat(size)]
  ])('takes time in proportion (%#)', (text) => {
    const time = (what: string): number => {
      const started = performance.now()
      detect(what, builtInDetectors)
      return performance.now() - started
    }
    time(text)
    // Quadratic work on 50,000 characters would be minutes: the bound is far from both.
    expect(time(text)).toBeLessThan(3_000)
  })

  it('costs little on ordinary text', () => {
    const text = 'The client asks whether the transfer of 2,400 EUR on 14 March may be taken back; rule 17a-4(f)(2) applies. '.repeat(6)
    expect(detect(text, { packs: new Set(builtInPacks), own: [] })).toEqual([])
  })
})

describe('own patterns', () => {
  const matches = (source: string, text: string) => [...new LinearPattern(source).findAll(text)].map(([a, b]) => text.slice(a, b))

  it('find what they describe, leftmost and longest', () => {
    expect(matches('KD-\\d{6}', 'for KD-123456, kd-654321 and KD-12345')).toEqual(['KD-123456', 'kd-654321'])
    expect(matches('\\bcase [0-9]+\\b', 'case 12, showcase 13, case 14x')).toEqual(['case 12'])
    expect(matches('ab|abc|b+', 'abcbbb')).toEqual(['abc', 'bbb'])
    expect(matches('(?:foo|bar){2}', 'foobar barfoo foo')).toEqual(['foobar', 'barfoo'])
    expect(matches('[^a-c\\s]+', 'abcxyz 1')).toEqual(['xyz', '1'])
    expect(matches('a?b{1,2}.', 'abbb bc')).toEqual(['abbb', 'bc'])
    expect(matches('^x|y$', 'xxyy')).toEqual(['x', 'y'])
    const own: Detectors = { packs: new Set(['own', 'phone'] as const), own: [{ name: 'client', pattern: new LinearPattern('KD-\\d{6}') }] }
    expect(found('KD-123456', own)).toEqual(['client:KD-123456'])
  })

  it('agree with the language’s own engine wherever longest and first are the same', () => {
    const atom = fc.constantFrom('a', 'b', '[ab]', '\\d', '(?:ab)', '[^a]', '.')
    const repeated = fc.tuple(atom, fc.constantFrom('', '+', '{2}', '{1,3}')).map(([a, r]) => a + r)
    const source = fc.array(repeated, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(
        source,
        fc.array(fc.constantFrom('a', 'b', '1', ' '), { maxLength: 14 }).map((chars) => chars.join('')),
        (pattern, text) => {
          expect(matches(pattern, text)[0]).toBe(new RegExp(pattern, 'i').exec(text)?.[0])
        }
      )
    )
  })

  it.each([
    '(a',
    'a)',
    '[a',
    '*a',
    'a**',
    'a+?',
    '(?=a)',
    '(?<n>a)',
    '\\1',
    '\\q',
    'a{2,1}',
    'a{101}',
    'a{',
    '[]',
    '[z-a]',
    'a*',
    '',
    'x'.repeat(201),
    '(?:(?:a{100}){100}){100}'
  ])('refuses %s', (source) => expect(() => new LinearPattern(source)).toThrow())

  it.each(['(a+)+b', '(a|aa)+b', '(a|a?)+b', 'a{1,100}b', '(?:a|b|ab)+c', 'a|a.{1,100}b'])(
    'runs %s in linear time on the text that breaks backtracking',
    (source) => {
      const pattern = new LinearPattern(source)
      const started = performance.now()
      expect([...pattern.findAll('a'.repeat(10_000))].length).toBeGreaterThanOrEqual(0)
      expect(performance.now() - started).toBeLessThan(5_000)
    }
  )
})
