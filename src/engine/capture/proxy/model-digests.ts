// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises'
import type { Upstream } from '../../../shared/contract/proxy.ts'
import { listOf, objectOf, parseJson, textOf } from '../../../shared/event/wire/wire.ts'
import { askUpstream } from './ask-upstream.ts'

/** Calls that come together share a question. No longer: a tag may move at any time, and what is recorded is what it stood for. */
const SHARED_MS = 1_000
const PATIENCE_MS = 2_000

/** Digests by name; undefined: the server did not say. */
type Digests = ReadonlyMap<string, string> | undefined

interface Asked {
  readonly at: number
  readonly digests: Promise<Digests>
}

/** The digest behind a name at the time of a call; undefined when the server did not say or takes too long. */
export type DigestOf = (model: string | undefined) => Promise<string | undefined>

const unknown: DigestOf = async () => undefined

/** Which model stands behind a name at an Ollama server, asked beside a call: tags move, digests do not. */
export class ModelDigests {
  readonly #asked = new Map<string, Asked>()

  /** Asks for a call that begins now, unless it was asked a moment ago. */
  ask(upstream: Upstream): DigestOf {
    if (upstream.kind !== 'ollama') return unknown
    let asked = this.#asked.get(upstream.url)
    if (asked === undefined || performance.now() - asked.at >= SHARED_MS) {
      asked = { at: performance.now(), digests: ask(upstream) }
      this.#asked.set(upstream.url, asked)
    }
    const { digests } = asked
    return async (model) => {
      if (model === undefined) return undefined
      const known = await Promise.race([digests, sleep(PATIENCE_MS, undefined, { ref: false })])
      return known?.get(model) ?? known?.get(`${model}:latest`)
    }
  }
}

async function ask(upstream: Upstream): Promise<Digests> {
  try {
    const { status, body } = await askUpstream(upstream, '/api/tags')
    if (status !== 200) return undefined
    const digests = new Map<string, string>()
    for (const model of listOf(objectOf(parseJson(body.toString('utf8'))).models)) {
      const digest = textOf(model.digest)
      for (const name of [textOf(model.name), textOf(model.model)]) if (name && digest) digests.set(name, digest.slice(0, 128))
    }
    return digests
  } catch {
    // No digest is known then; the record says none.
    return undefined
  }
}
