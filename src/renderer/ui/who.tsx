// SPDX-License-Identifier: Apache-2.0
import { useStatus } from '../app/engine-state.tsx'
import { useOperation } from '../client/hooks.ts'
import { useMay } from '../client/session.tsx'

const fixed: Readonly<Record<string, string>> = {
  local: 'local, this machine',
  engine: 'the engine',
  http: 'a program, without token',
  unknown: 'nobody signed in'
}

/** The name behind a ref in a leaf, for those who may see it; the ref itself otherwise. */
export function useNameOf(): (ref: string) => string {
  const { may } = useMay('see')
  const { data } = useOperation('people.names', {}, { enabled: may })
  // In the review of a bundle it is the machine of whoever made it.
  const reviewing = useStatus()?.review != null
  return (ref) =>
    data?.names.find((one) => one.ref === ref)?.name ??
    (reviewing && ref === 'local' ? 'local, the exporter’s machine' : (fixed[ref] ?? ref))
}

/** Who acted: the name, with the ref that the leaf holds as its title. */
export function Who({ actor }: { readonly actor: string }) {
  const nameOf = useNameOf()
  return <span title={actor}>{nameOf(actor)}</span>
}
