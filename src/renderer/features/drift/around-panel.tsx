// SPDX-License-Identifier: Apache-2.0
import type { DriftComparison } from '../../../shared/contract/drift-compare.ts'
import { parameterName, parameterNotes, parameterSide } from '../../../shared/drift/parameter-words.ts'
import { moment } from '../../ui/format.ts'
import { Panel } from '../../ui/parts.tsx'

interface AroundProps {
  readonly found: DriftComparison
  /** What both selections are called in a sentence. */
  readonly names: readonly [before: string, after: string]
}

/** What else is not as it was: the model served and the parameters of the requests, those that changed in rows, the others in a sentence. */
export function AroundPanel({ found, names }: AroundProps) {
  const { served_switch: served, parameters } = found
  const changed = parameters.found.filter((one) => one.change === 'changed')
  const notes = parameterNotes(parameters, [
    { name: names[0], records: found.a.records },
    { name: names[1], records: found.b.records }
  ])
  const hasTexts = changed.some((one) => [...(one.before ?? []), ...(one.after ?? [])].some(({ value }) => value?.startsWith('#')))
  return (
    <Panel title="What changed around it" sub="values with their requests; never deciding" flush level={3} className="around-panel">
      {(served || changed.length > 0) && (
        <table className="table">
          <thead>
            <tr>
              <th>What</th>
              <th>Before</th>
              <th>Now</th>
              <th className="right">Since, UTC</th>
            </tr>
          </thead>
          <tbody>
            {served && (
              <tr>
                <td>model served</td>
                <td className="anywhere">{served.from}</td>
                <td className="anywhere strong">{served.to}</td>
                <td className="right">{moment(served.at).replace(' UTC', '')}</td>
              </tr>
            )}
            {changed.map((one) => (
              <tr key={one.name}>
                <td>{parameterName(one.name)}</td>
                <td className="anywhere">{parameterSide(one.before)}</td>
                <td className="anywhere strong">{parameterSide(one.after)}</td>
                <td className="right">{one.since === null ? '–' : moment(one.since).replace(' UTC', '')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <div className="panel-note">
        {notes.map((note) => (
          <p key={note} className="soft">
            {note}
          </p>
        ))}
        {hasTexts && <p className="dim small">Texts stand here by a keyed fingerprint; the records show them.</p>}
      </div>
    </Panel>
  )
}
