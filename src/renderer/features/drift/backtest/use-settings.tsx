// SPDX-License-Identifier: Apache-2.0
import { Button, Modal } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import type { BacktestSettings } from '../../../../shared/contract/drift-backtest.ts'
import { sentenceOf, useAction } from '../../../client/hooks.ts'
import { DialogButtons } from '../../../ui/dialog-buttons.tsx'
import { count } from '../../../ui/format.ts'
import { Note } from '../../../ui/parts.tsx'
import { PermittedButton } from '../../../ui/permitted-button.tsx'
import { changedSettings, settingNames, valueWords } from './settings-words.ts'

interface UseSettingsProps {
  /** The settings as they are now, and those that were tried. */
  readonly now: BacktestSettings
  readonly tried: BacktestSettings
}

/** Makes the tried settings the ones in use, after each change was shown. */
export function UseSettings({ now, tried }: UseSettingsProps) {
  const [asking, setAsking] = useState(false)
  const save = useAction('settings.set', ['settings.get'])
  const changed = changedSettings(now, tried)
  if (changed.length === 0) return null
  const submit = () =>
    save.mutate(Object.fromEntries(changed.map((name) => [name, tried[name]])), {
      onSuccess: () => {
        notifications.show({ title: 'Settings changed', message: `${count(changed.length)} changed; the next look uses them.` })
        setAsking(false)
      }
    })
  return (
    <>
      <PermittedButton permission="settings" size="compact-sm" variant="default" onClick={() => setAsking(true)}>
        Use these settings…
      </PermittedButton>
      <Modal
        opened={asking}
        onClose={() => setAsking(false)}
        title="Use these settings from the next look on"
        closeButtonProps={{ 'aria-label': 'Close' }}
        transitionProps={{ duration: 0 }}
      >
        <div className="column gap-12">
          <table className="table">
            <thead>
              <tr>
                <th>Setting</th>
                <th className="right">Now</th>
                <th className="right">From then on</th>
              </tr>
            </thead>
            <tbody>
              {changed.map((name) => (
                <tr key={name}>
                  <td>{settingNames[name]}</td>
                  <td className="right">{valueWords(name, now[name])}</td>
                  <td className="right strong">{valueWords(name, tried[name])}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <p className="dim small">Each change becomes a leaf. Alerts on record stay as they are.</p>
          {save.isError && <Note is="broken">{sentenceOf(save.error)}</Note>}
          <DialogButtons onCancel={() => setAsking(false)}>
            <Button loading={save.isPending} onClick={submit} data-autofocus>
              Change {count(changed.length)} setting{changed.length === 1 ? '' : 's'}
            </Button>
          </DialogButtons>
        </div>
      </Modal>
    </>
  )
}
