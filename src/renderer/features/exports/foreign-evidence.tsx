// SPDX-License-Identifier: Apache-2.0
// Evidence of other programs: what it shows, and what it does not.
import { Button } from '@mantine/core'
import { useState } from 'react'
import type { OperationInput, OperationOutput } from '../../../shared/contract/contract.ts'
import { call, shell } from '../../client/bridge.ts'
import { sentenceOf, useAction } from '../../client/hooks.ts'
import { cx, Mark, type Meaning, Note, Panel } from '../../ui/parts.tsx'

type Input = OperationInput<'foreign.verify'>
type File = Exclude<keyof Input, 'path'>
type Kind = NonNullable<OperationOutput<'foreign.recognise'>['kind']>

const kindNames: Readonly<Record<Kind, string>> = {
  checkpoint: 'Checkpoint of a log',
  inclusion_proof: 'Proof that something is in a log',
  consistency_proof: 'Proof that a log only grew',
  timestamp: 'RFC 3161 timestamp',
  bag: 'BagIt folder'
}
const fileNames: Readonly<Record<File, string>> = {
  of: 'What was proven or stamped',
  ca: 'Certificate of the authority',
  old: 'Earlier checkpoint',
  new: 'Later checkpoint',
  log_key: 'Key of the log, if confirmed'
}
const verdicts: Readonly<Record<OperationOutput<'foreign.verify'>['verdict'], readonly [Meaning, string]>> = {
  holds: ['holds', 'Holds'],
  no_fault: ['attention', 'No fault found, signer not confirmed'],
  does_not_hold: ['broken', 'Does not hold'],
  not_checked: ['attention', 'Not checked']
}
const nameOf = (path: string): string => path.split(/[/\\]/).at(-1) ?? path

/** Chooses a file of another program, asks for what its check needs besides, and shows what came out. */
export function ForeignEvidence() {
  const [chosen, setChosen] = useState<{ readonly path: string; readonly kind: Kind; readonly needs: readonly File[] } | null>(null)
  const [files, setFiles] = useState<Readonly<Partial<Record<File, string>>>>({})
  const [problem, setProblem] = useState<string | null>(null)
  const verify = useAction('foreign.verify')
  const choose = async (folder: boolean) => {
    const { paths } = await shell('shell.pickFile', {
      title: folder ? 'Choose the folder of a bag' : 'Choose a file of another program',
      folder
    })
    const [path] = paths
    if (path === undefined) return
    verify.reset()
    setFiles({})
    setChosen(null)
    setProblem(null)
    try {
      const { kind, needs } = await call('foreign.recognise', { path })
      if (kind === null) setProblem(`${nameOf(path)} is no checkpoint, proof, timestamp or bag.`)
      else setChosen({ path, kind, needs: kind === 'bag' || kind === 'timestamp' ? needs : [...needs, 'log_key'] })
    } catch (error) {
      setProblem(sentenceOf(error))
    }
  }
  const pick = async (name: File) => {
    const { paths } = await shell('shell.pickFile', { title: fileNames[name] })
    if (paths[0] !== undefined) setFiles({ ...files, [name]: paths[0] })
  }
  const ready = chosen?.needs.every((name) => name === 'log_key' || files[name] !== undefined) ?? false
  return (
    <Panel title="Evidence of other programs" sub="checkpoints and proofs of other logs, RFC 3161 timestamps, BagIt folders">
      <div className="row">
        <Button variant="default" size="compact-sm" onClick={() => void choose(false)}>
          Choose a file…
        </Button>
        <Button variant="default" size="compact-sm" onClick={() => void choose(true)}>
          Choose a folder…
        </Button>
        {chosen && (
          <span className="clip">
            <b>{kindNames[chosen.kind]}</b> <span className="soft">{nameOf(chosen.path)}</span>
          </span>
        )}
      </div>
      {problem !== null && <Note is="plain">{problem}</Note>}
      {chosen && (
        <>
          {chosen.needs.length > 0 && (
            <ul className="plain-list" style={{ marginTop: 12 }}>
              {chosen.needs.map((name) => (
                <li key={name} className="row gap-8">
                  <Button variant="default" size="compact-xs" onClick={() => void pick(name)} aria-label={`Choose: ${fileNames[name]}`}>
                    Choose…
                  </Button>
                  <span>{fileNames[name]}</span>
                  <span className="soft clip">{files[name] === undefined ? '' : nameOf(files[name])}</span>
                </li>
              ))}
            </ul>
          )}
          <div className="row" style={{ marginTop: 12 }}>
            <Button disabled={!ready} loading={verify.isPending} onClick={() => verify.mutate({ path: chosen.path, ...files })}>
              Verify
            </Button>
          </div>
        </>
      )}
      {verify.isError && (
        <Note is="broken">
          <b>This could not be verified.</b> {sentenceOf(verify.error)}
        </Note>
      )}
      {verify.data && <Outcome report={verify.data} />}
    </Panel>
  )
}

function Outcome({ report }: { readonly report: OperationOutput<'foreign.verify'> }) {
  const [is, title] = verdicts[report.verdict]
  return (
    <section aria-label="Verdict on the evidence" aria-live="polite" style={{ marginTop: 12 }}>
      <p className={cx('row gap-8 strong', `state-${is}`)}>
        <Mark is={is} size={16} />
        {title}
      </p>
      <ul className="plain-list small" style={{ marginTop: 8 }}>
        {report.proven.map((sentence) => (
          <li key={sentence}>
            <span className="dim">shown</span> {sentence}
          </li>
        ))}
        {report.not_proven.map((sentence) => (
          <li key={sentence}>
            <span className="dim">not shown</span> {sentence}
          </li>
        ))}
        {report.faults.slice(0, 20).map((one) => (
          <li key={`${one.code} ${one.subject} ${one.message}`} className="state-broken">
            {one.subject !== undefined && <span className="mono">{one.subject} </span>}
            {one.message}
          </li>
        ))}
        {report.faults.length > 20 && <li className="dim">and {report.faults.length - 20} more</li>}
      </ul>
    </section>
  )
}
