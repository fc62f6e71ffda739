// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises'
import type { Upstream } from '../../../shared/contract/proxy.ts'
import { listOf, objectOf, parseJson, textOf } from '../../../shared/event/wire/wire.ts'
import { askUpstream } from './ask-upstream.ts'

/** A tag moves when a model is pulled again, which takes longer than this. */
const FRESH_MS = 30_000
const PATIENCE_MS = 2_000

interface Known {
  readonly at: number
  readonly digests: Promise<ReadonlyMap<string, string>>
}

/** Which model stands behind a name at an Ollama server, asked in the background: tags move, digests do not. */
export class ModelDigests {
  readonly #known = new Map<string, Known>()

  /** Asks unless it was asked a moment ago. */
  refresh(upstream: Upstream): void {
    if (upstream.kind !== 'ollama') return
    const known = this.#known.get(upstream.url)
    if (known && performance.now() - known.at < FRESH_MS) return
    this.#known.set(upstream.url, { at: performance.now(), digests: ask(upstream) })
  }

  /** The digest behind a name; undefined when the server does not say or takes too long. */
  async of(upstream: Upstream, model: string | undefined): Promise<string | undefined> {
    const known = this.#known.get(upstream.url)
    if (!known || model === undefined) return undefined
    const digests = await Promise.race([known.digests, sleep(PATIENCE_MS, undefined, { ref: false })])
    return digests?.get(model) ?? digests?.get(`${model}:latest`)
  }
}

async function ask(upstream: Upstream): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>()
  try {
    const { status, body } = await askUpstream(upstream, '/api/tags')
    if (status !== 200) return digests
    for (const model of listOf(objectOf(parseJson(body.toString('utf8'))).models)) {
      const digest = textOf(model.digest)
      for (const name of [textOf(model.name), textOf(model.model)]) if (name && digest) digests.set(name, digest.slice(0, 128))
    }
  } catch {
    // No digest is known then; the record says none.
  }
  return digests
}
