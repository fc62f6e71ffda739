// SPDX-License-Identifier: Apache-2.0
// A language model small enough for tests and real enough for llama.cpp: it knows which token follows which in the licence texts, and nothing
// else. Embeddings are one-hot, attention and feed-forward are zero, and the output weights are the logarithms of counted pairs; so the tokenizer,
// the sampler, the stop reasons and the times are those of a real run.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../project.ts'

/** What the server calls it. */
export const MODEL = 'licence-pairs:latest'

const VOCABULARY = 1536
const EOS = VOCABULARY - 1
const WIDTH = VOCABULARY
const HEAD = 32
/** Paragraphs to one end. */
const PARAGRAPHS = 8

/** GPT-2's pieces of text: merges stay inside of one. */
const PIECES = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu

/** GPT-2 writes each byte as a letter that can be seen. */
const letterOf: readonly string[] = (() => {
  const seen = (byte: number): boolean => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(seen(byte) ? byte : next++))
})()

const lettersOf = (text: string): string[] => [...Buffer.from(text, 'utf8')].map((byte) => letterOf[byte] ?? '')

function licenceTexts(): string {
  const own = readFileSync(join(root, 'LICENSE'), 'utf8')
  const folder = '/usr/share/common-licenses'
  let more: string[] = []
  try {
    more = readdirSync(folder)
      .map((name) => join(folder, name))
      .filter((path) => statSync(path).isFile())
      .sort()
      .map((path) => readFileSync(path, 'utf8'))
  } catch {
    // Not a Debian: the licence of the project has to do.
  }
  return [own, ...more].join('\n\n')
}

interface Tokens {
  readonly vocabulary: readonly string[]
  readonly merges: readonly string[]
  /** The text as token numbers, with an end after some paragraphs. */
  readonly text: readonly number[]
}

/** Learns merges by pairs in the order of their number (byte pair encoding), and splits the text by them. */
function tokensOf(text: string): Tokens {
  const words = new Map<string, { parts: string[]; n: number }>()
  for (const [piece] of text.matchAll(PIECES)) {
    const known = words.get(piece)
    if (known) known.n++
    else words.set(piece, { parts: lettersOf(piece), n: 1 })
  }
  const vocabulary = [...letterOf]
  const merges: string[] = []
  while (vocabulary.length < VOCABULARY - 1) {
    const pairs = new Map<string, number>()
    for (const { parts, n } of words.values())
      for (let i = 1; i < parts.length; i++) {
        const pair = `${parts[i - 1]} ${parts[i]}`
        pairs.set(pair, (pairs.get(pair) ?? 0) + n)
      }
    let best = ''
    for (const [pair, n] of pairs) if (best === '' || n > (pairs.get(best) ?? 0)) best = pair
    if (best === '') break
    const [left = '', right = ''] = best.split(' ')
    merges.push(best)
    vocabulary.push(left + right)
    for (const word of words.values()) {
      const { parts } = word
      for (let i = 0; i + 1 < parts.length; i++) if (parts[i] === left && parts[i + 1] === right) parts.splice(i, 2, left + right)
    }
  }
  while (vocabulary.length < VOCABULARY - 1) vocabulary.push(`<unused ${vocabulary.length}>`)
  vocabulary.push('<|endoftext|>')
  const numberOf = new Map(vocabulary.map((token, i) => [token, i]))
  const split = (part: string): number[] =>
    [...part.matchAll(PIECES)].flatMap(([piece]) => (words.get(piece)?.parts ?? lettersOf(piece)).map((one) => numberOf.get(one) ?? 0))
  // An end now and then, so that answers end by themselves and are not all of one sentence.
  const numbers = text
    .split(/(?<=\n\s*\n)/)
    .flatMap((paragraph, i) => (i % PARAGRAPHS === 0 ? [...split(paragraph), EOS] : split(paragraph)))
  return { vocabulary, merges, text: numbers }
}

type Value = string | number | boolean | readonly string[] | readonly number[]

/** Little-endian bytes of a GGUF file, piece by piece. */
class Writer {
  readonly #pieces: Buffer[] = []

  u32(value: number): this {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(value)
    this.#pieces.push(bytes)
    return this
  }

  u64(value: number): this {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(BigInt(value))
    this.#pieces.push(bytes)
    return this
  }

  text(value: string): this {
    const bytes = Buffer.from(value, 'utf8')
    this.u64(bytes.length)
    this.#pieces.push(bytes)
    return this
  }

  bytes(value: Buffer): this {
    this.#pieces.push(value)
    return this
  }

  /** A value with its type: 4 whole number, 6 real, 7 truth, 8 text, 9 list. Names that end in `epsilon` are real. */
  value(name: string, value: Value): this {
    this.text(name)
    if (typeof value === 'string') return this.u32(8).text(value)
    if (typeof value === 'boolean') return this.u32(7).bytes(Buffer.from([value ? 1 : 0]))
    if (typeof value === 'number') {
      if (!name.endsWith('epsilon')) return this.u32(4).u32(value)
      const bytes = Buffer.alloc(4)
      bytes.writeFloatLE(value)
      return this.u32(6).bytes(bytes)
    }
    const texts = value.every((one) => typeof one === 'string')
    this.u32(9)
      .u32(texts ? 8 : 5)
      .u64(value.length)
    for (const one of value) texts ? this.text(String(one)) : this.u32(Number(one))
    return this
  }

  pad(to: number): this {
    const over = this.size % to
    return over === 0 ? this : this.bytes(Buffer.alloc(to - over))
  }

  get size(): number {
    return this.#pieces.reduce((sum, piece) => sum + piece.length, 0)
  }

  done(): Buffer {
    return Buffer.concat(this.#pieces)
  }
}

interface Tensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float32Array
}

function tensorsOf(text: readonly number[]): Tensor[] {
  const zero = (name: string, ...shape: number[]): Tensor => ({ name, shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) })
  const same = (name: string, value: number): Tensor => ({ name, shape: [WIDTH], data: new Float32Array(WIDTH).fill(value) })
  const embedding = zero('token_embd.weight', WIDTH, VOCABULARY)
  for (let token = 0; token < VOCABULARY; token++) embedding.data[token * WIDTH + token] = 1
  // What was never seen together is unlikely, not impossible.
  const output = zero('output.weight', WIDTH, VOCABULARY)
  const counts = output.data.fill(0.001)
  for (let i = 1; i < text.length; i++) {
    const pair = (text[i] ?? 0) * WIDTH + (text[i - 1] ?? 0)
    counts[pair] = (counts[pair] ?? 0) + 1
  }
  for (let i = 0; i < counts.length; i++) counts[i] = Math.log(counts[i] ?? 0)
  return [
    embedding,
    output,
    // The norm makes a one-hot row as long as the root of its width.
    same('output_norm.weight', 1 / Math.sqrt(WIDTH)),
    same('blk.0.attn_norm.weight', 1),
    same('blk.0.ffn_norm.weight', 1),
    zero('blk.0.attn_q.weight', WIDTH, HEAD),
    zero('blk.0.attn_k.weight', WIDTH, HEAD),
    zero('blk.0.attn_v.weight', WIDTH, HEAD),
    zero('blk.0.attn_output.weight', HEAD, WIDTH),
    zero('blk.0.ffn_gate.weight', WIDTH, HEAD),
    zero('blk.0.ffn_up.weight', WIDTH, HEAD),
    zero('blk.0.ffn_down.weight', HEAD, WIDTH)
  ]
}

const ALIGNMENT = 32

/** Writes the model; the same texts give the same bytes. */
export function writeModel(path: string): void {
  const { vocabulary, merges, text } = tokensOf(licenceTexts())
  const tensors = tensorsOf(text)
  const values: readonly (readonly [string, Value])[] = [
    ['general.architecture', 'llama'],
    ['general.name', 'licence pairs'],
    ['general.file_type', 0],
    ['general.alignment', ALIGNMENT],
    ['llama.context_length', 2048],
    ['llama.embedding_length', WIDTH],
    ['llama.block_count', 1],
    ['llama.feed_forward_length', HEAD],
    ['llama.attention.head_count', 1],
    ['llama.attention.head_count_kv', 1],
    ['llama.attention.key_length', HEAD],
    ['llama.attention.value_length', HEAD],
    ['llama.attention.layer_norm_rms_epsilon', 1e-6],
    ['llama.rope.dimension_count', HEAD],
    ['llama.vocab_size', VOCABULARY],
    ['tokenizer.ggml.model', 'gpt2'],
    ['tokenizer.ggml.pre', 'gpt-2'],
    ['tokenizer.ggml.tokens', vocabulary],
    // 1 is an ordinary token, 3 one that steers.
    ['tokenizer.ggml.token_type', vocabulary.map((_, i) => (i === EOS ? 3 : 1))],
    ['tokenizer.ggml.merges', merges],
    ['tokenizer.ggml.bos_token_id', EOS],
    ['tokenizer.ggml.eos_token_id', EOS],
    ['tokenizer.ggml.add_bos_token', false]
  ]
  const file = new Writer().bytes(Buffer.from('GGUF')).u32(3).u64(tensors.length).u64(values.length)
  for (const [name, value] of values) file.value(name, value)
  let offset = 0
  for (const { name, shape, data } of tensors) {
    file.text(name).u32(shape.length)
    for (const size of shape) file.u64(size)
    file.u32(0).u64(offset)
    offset += Math.ceil(data.byteLength / ALIGNMENT) * ALIGNMENT
  }
  file.pad(ALIGNMENT)
  for (const { data } of tensors) file.bytes(Buffer.from(data.buffer)).pad(ALIGNMENT)
  writeFileSync(path, file.done())
}
