// SPDX-License-Identifier: Apache-2.0
/** A record of about 600 bytes of text, unique by its number. */
export function benchRecord(n: number): string {
  const words = ['account', 'transfer', 'rule', 'letter', 'period', 'client', 'adviser', 'fee', 'report', 'answer']
  const text = (length: number, seed: number): string => {
    let out = ''
    for (let i = 0; out.length < length; i++) out += `${words[(seed * 7 + i * 3 + ((seed * i) % 5)) % words.length]} `
    return out.trim()
  }
  return JSON.stringify({
    id: `bench-${n}`,
    source: `app-${n % 4}`,
    model: n % 3 === 0 ? 'gpt-4-0613' : 'gpt-3.5-turbo-0613',
    provider: 'openai',
    start_time: new Date(Date.UTC(2026, 0, 1) + n * 250).toISOString(),
    latency_ms: 200 + ((n * 7919) % 9000),
    input_tokens: 20 + (n % 300),
    output_tokens: 10 + ((n * 31) % 400),
    prompt: `Question ${n}: ${text(250, n)}`,
    response: text(330, n + 1)
  })
}
