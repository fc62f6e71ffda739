// SPDX-License-Identifier: Apache-2.0
import type { Statement } from '../../../shared/contract/compliance.ts'
import { useStatus } from '../../app/engine-state.tsx'
import { ageOf } from '../../ui/format.ts'
import { Mark, type Meaning, Panel, State } from '../../ui/parts.tsx'

const parts = [
  ['proves', 'It proves', 'holds'],
  ['word', 'It shows, on this machine’s word alone', 'pending'],
  ['cannot', 'It cannot show', 'none']
] as const satisfies readonly (readonly [Statement['group'], string, Meaning])[]

/** What this log proves, and what it cannot: computed from the workspace as it is. */
export function Proves({ statements }: { readonly statements: readonly Statement[] }) {
  const status = useStatus()
  return (
    <Panel title="What this log proves, and what it cannot">
      <div className="proves">
        {parts.map(([group, title, mark]) => {
          const lines = statements.filter((one) => one.group === group)
          return (
            <section key={group}>
              <h3>{title}</h3>
              {lines.length === 0 && (
                <p className="soft small">
                  Nothing yet: it takes an anchor outside this machine, and a verification since that found the log intact.
                </p>
              )}
              <ul>
                {lines.map((one) => (
                  <li key={one.text}>
                    <Mark is={mark} />
                    <span>
                      {one.text}
                      {one.detail !== null && <span className="soft small detail">{one.detail}</span>}
                    </span>
                  </li>
                ))}
              </ul>
            </section>
          )
        })}
      </div>
      <span className="grow" />
      <div className="row proves-foot">
        <span className="grow soft">Last outside anchor</span>
        {status?.anchor ? (
          <State is="holds">{ageOf(Date.parse(status.now) - Date.parse(status.anchor.time))} old</State>
        ) : (
          <State is="pending">none yet</State>
        )}
      </div>
    </Panel>
  )
}
