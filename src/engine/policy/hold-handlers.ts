// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { Hold, HoldScope } from '../../shared/contract/retention.ts'
import { filterOf } from '../catalog/handlers.ts'
import type { Handlers } from '../handlers.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { RetentionDeps } from './retention.ts'

/** @throws AffidavitError invalid_filter, bad_request */
function checkScope(scope: HoldScope): void {
  if (scope.kind === 'filter') {
    if (filterOf(scope.query).terms.length === 0) throw new AffidavitError('bad_request', 'the filter of a hold needs a condition')
  }
  if (scope.kind === 'time' && scope.to !== undefined && Date.parse(scope.to) <= Date.parse(scope.from))
    throw new AffidavitError('bad_request', 'the time range of the hold ends before it begins')
}

/** Places, lists and releases legal holds. The release is carried out when a second person approved it. */
export function holdHandlers(deps: RetentionDeps): Handlers<'holds.list' | 'holds.preview' | 'holds.place' | 'holds.release'> {
  const { pool, approvals } = deps
  const list = async (): Promise<Hold[]> => {
    await deps.caughtUp()
    return pool.run('holds', {})
  }
  const one = async (id: string): Promise<Hold> => {
    const found = (await list()).find((hold) => hold.id === id)
    if (!found) throw new AffidavitError('not_found', 'there is no such hold')
    return found
  }
  approvals.on('hold_release', async ({ id, givenBy, body }) => {
    const hold = await one(String(body.hold_id))
    if (hold.state === 'released') return
    const { part } = bodyPart({ reason: String(body.reason) })
    const data = { hold_id: hold.id, hold: hold.seq, approval_id: id }
    await deps.append([{ type: 'hold.released', actor: { ref: givenBy, kind: 'human' }, data, parts: [part] }])
  })
  return {
    'holds.list': async () => ({ holds: await list() }),
    'holds.preview': async ({ scope }, caller) => {
      checkScope(scope)
      await deps.caughtUp()
      return pool.run('countCovered', { scope }, { signal: caller.signal })
    },
    'holds.place': async ({ matter, reason, scope, future }, caller) => {
      checkScope(scope)
      await deps.caughtUp()
      if (scope.kind === 'seqs' && scope.seqs.some((seq) => seq >= deps.ledgerSize()))
        throw new AffidavitError('not_found', 'the hold names a leaf that does not exist')
      const { records } = await pool.run('countCovered', { scope })
      const id = randomUUID()
      const { part, sha256 } = bodyPart({ matter, reason, scope })
      const data = { hold_id: id, scope: scope.kind, future, records, body_sha256: sha256 }
      const [written] = await deps.append([{ type: 'hold.placed', actor: caller.actor, data, parts: [part] }])
      if (!written) throw new AffidavitError('read_only', 'the workspace is open read-only')
      deps.onHold()
      return one(id)
    },
    'holds.release': async ({ id, reason }, caller) => {
      const hold = await one(id)
      if (hold.state === 'released') throw new AffidavitError('conflict', 'this hold was released already')
      if (hold.state === 'release_asked') throw new AffidavitError('conflict', 'the release of this hold waits for a second person already')
      return approvals.ask(caller, 'hold_release', `${hold.matter}: ${reason}`.slice(0, 300), { hold_id: id, reason })
    }
  }
}
