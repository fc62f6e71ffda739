// SPDX-License-Identifier: Apache-2.0
import { Button, Menu, TextInput } from '@mantine/core'
import type { Processing } from '../../../shared/contract/compliance.ts'
import { call, shell } from '../../client/bridge.ts'
import { useDraft } from '../../client/draft.ts'
import { sentenceOf, useAction, useOperation } from '../../client/hooks.ts'
import { usePrint } from '../../client/print.ts'
import { count, moment } from '../../ui/format.ts'
import { Masked } from '../../ui/masked.tsx'
import { Note, Panel } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Empty, Failed, Loading } from '../../ui/states.tsx'

const fields: readonly (readonly [keyof Processing, string, string])[] = [
  ['controller', 'Controller', 'Name and address of the firm'],
  ['contact', 'Contact', 'Who answers for this processing'],
  ['officer', 'Data protection officer', 'Where one is designated'],
  ['purposes', 'Purposes', 'Why calls to models are recorded'],
  ['subjects', 'Subjects and data', 'Categories of people and of their data'],
  ['transfers', 'Transfers', 'Third countries, with the safeguards']
]

const formats = [
  { format: 'html', label: 'Web page' },
  { format: 'json', label: 'JSON' },
  { format: 'csv', label: 'CSV' }
] as const

/** The record of processing (GDPR 30): what the firm states, beside what the workspace shows. */
export function ProcessingRecord() {
  const record = useOperation('compliance.processing', {})
  const save = useAction('compliance.set_processing', ['compliance.processing', 'compliance.report'])
  const write = useAction('compliance.save_processing')
  const printing = usePrint()
  const [draft, setEdited] = useDraft<Processing>('processing', record.data?.stated)
  if (record.isError) return <Failed what="The record cannot be made" error={record.error} onRetry={() => void record.refetch()} />
  if (!record.data) return <Loading what="Gathering sources and recipients" />
  const { sources, recipients, measures, stated } = record.data
  const edited = draft ?? stated
  const changed = fields.some(([name]) => edited[name] !== stated[name])
  const saveFile = async (format: (typeof formats)[number]['format']) => {
    const { path } = await shell('shell.saveFile', {
      suggested_name: `record-of-processing.${format}`,
      filters: [{ name: format.toUpperCase(), extensions: [format] }]
    })
    if (path !== null) write.mutate({ out: path, format })
  }
  return (
    <div className="compliance-page column gap-12">
      <Panel
        title="Stated by the firm"
        sub="each change is recorded"
        right={
          <div className="row">
            <Menu position="bottom-end">
              <Menu.Target>
                <Button variant="default" size="compact-sm" loading={write.isPending}>
                  Save as…
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                {formats.map(({ format, label }) => (
                  <Menu.Item key={format} onClick={() => void saveFile(format).catch(() => {})}>
                    {label}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
            <Button
              variant="default"
              size="compact-sm"
              loading={printing.busy}
              onClick={() => printing.print(async () => (await call('compliance.processing', {})).page)}
            >
              Print…
            </Button>
          </div>
        }
      >
        <div className="processing-form">
          {fields.map(([name, label, hint]) => (
            <TextInput
              key={name}
              label={label}
              placeholder={hint}
              maxLength={500}
              value={edited[name]}
              onChange={(event) => setEdited({ ...edited, [name]: event.currentTarget.value })}
            />
          ))}
        </div>
        <div className="row" style={{ marginTop: 12 }}>
          <PermittedButton permission="compliance" disabled={!changed} loading={save.isPending} onClick={() => save.mutate(edited)}>
            Save
          </PermittedButton>
          {changed && (
            <Button variant="default" onClick={() => setEdited(null)}>
              Undo
            </Button>
          )}
          {save.isError && <Note is="broken">{sentenceOf(save.error)}</Note>}
          {write.isError && <Note is="broken">{sentenceOf(write.error)}</Note>}
          {printing.error !== null && <Note is="broken">{printing.error}</Note>}
          {printing.saved !== null && <Note is="holds">Saved: {printing.saved}</Note>}
          {write.data && <Note is="holds">Saved: {write.data.path}</Note>}
        </div>
      </Panel>
      <Panel title="What is recorded" sub="times UTC" flush>
        {sources.length === 0 ? (
          <Empty title="No record yet">
            <p>Sources and models stand here once calls are recorded.</p>
          </Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>Source</th>
                <th>Model</th>
                <th className="right">Records</th>
                <th>First</th>
                <th>Last</th>
              </tr>
            </thead>
            <tbody>
              {sources.map((one) => (
                <tr key={`${one.source}\n${one.model}`}>
                  <td className="anywhere">
                    <Masked text={one.source} />
                  </td>
                  <td className="anywhere">
                    <Masked text={one.model} />
                  </td>
                  <td className="right">{count(one.records)}</td>
                  <td className="num">{moment(one.first).replace(' UTC', '')}</td>
                  <td className="num">{moment(one.last).replace(' UTC', '')}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Panel>
      <Panel title="Recipients of exports" sub={recipients.length === 0 ? 'no bundle has left' : undefined}>
        <ul className="plain-list">
          {recipients.map((one) => (
            <li key={one.recipient} className="anywhere">
              {one.recipient}, {count(one.bundles)} {one.bundles === 1 ? 'bundle' : 'bundles'}, last {moment(one.last)}
            </li>
          ))}
        </ul>
      </Panel>
      <Panel title="Technical and organisational measures" sub="as this workspace is set up">
        <ul className="plain-list">
          {measures.map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      </Panel>
    </div>
  )
}
