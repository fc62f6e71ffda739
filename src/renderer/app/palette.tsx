// SPDX-License-Identifier: Apache-2.0
import { useComputedColorScheme } from '@mantine/core'
import { createSpotlight, Spotlight, type SpotlightActionData, type SpotlightActionGroupData } from '@mantine/spotlight'
import {
  IconDownload,
  IconFilter,
  IconListSearch,
  IconMoon,
  IconPackageExport,
  IconSearch,
  IconShieldCheck,
  IconUpload
} from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { call, shell } from '../client/bridge.ts'
import { count } from '../ui/format.ts'
import { useSections } from './sections.ts'

const [store, palette] = createSpotlight()

export const openPalette = (): void => palette.open()

const icon = (Icon: typeof IconSearch) => <Icon size={17} stroke={1.6} aria-hidden />
const Key = ({ name }: { readonly name: string }) => <span className="keycap">{name}</span>

const says = (text: string) => (action: SpotlightActionData) => action.label?.toLowerCase().includes(text.trim().toLowerCase()) ?? false

/** Ctrl/Cmd K: sections, proof commands, and whatever is typed as a leaf number or a filter. */
export function Palette() {
  const navigate = useNavigate()
  const sections = useSections()
  const [text, setText] = useState('')
  const dark = useComputedColorScheme('light') === 'dark'
  const leaf = /^#?(\d{1,15})$/.exec(text.trim())?.[1]
  const typed: SpotlightActionGroupData[] =
    text.trim() === ''
      ? []
      : [
          {
            group: 'What is typed',
            actions: [
              ...(leaf === undefined
                ? []
                : [
                    {
                      id: 'leaf',
                      label: `Go to leaf ${count(Number(leaf))}`,
                      leftSection: icon(IconListSearch),
                      onClick: () => void navigate({ to: '/records', search: { seq: Number(leaf) } })
                    }
                  ]),
              {
                id: 'filter',
                label: `Filter records: ${text}`,
                leftSection: icon(IconFilter),
                onClick: () => void navigate({ to: '/records', search: { query: text } })
              }
            ]
          }
        ]
  const commands: SpotlightActionGroupData[] = [
    {
      group: 'Go to',
      actions: sections.map(({ to, name, Icon }, i) => ({
        id: to,
        label: name,
        leftSection: <Icon size={17} stroke={1.6} aria-hidden />,
        rightSection: <Key name={`Ctrl ${i + 1}`} />,
        onClick: () => void navigate({ to })
      }))
    },
    {
      group: 'Records',
      actions: [
        {
          id: 'import',
          label: 'Import a file…',
          leftSection: icon(IconUpload),
          onClick: () => void navigate({ to: '/records', search: { import: true } })
        },
        {
          id: 'failed',
          label: 'Filter to errors',
          leftSection: icon(IconFilter),
          onClick: () => void navigate({ to: '/records', search: { query: 'status:error' } })
        }
      ]
    },
    {
      group: 'Prove',
      actions: [
        { id: 'export', label: 'Make a signed bundle…', leftSection: icon(IconDownload), onClick: () => void navigate({ to: '/exports' }) },
        {
          id: 'verify',
          label: 'Verify a bundle…',
          leftSection: icon(IconPackageExport),
          onClick: () => void navigate({ to: '/exports', search: { view: 'verify' } })
        },
        {
          id: 'verify-workspace',
          label: 'Verify the whole ledger now',
          leftSection: icon(IconShieldCheck),
          onClick: () => {
            void call('verify.workspace', {})
            void navigate({ to: '/dashboard' })
          }
        }
      ]
    },
    {
      group: 'Look',
      actions: [
        {
          id: 'theme',
          label: dark ? 'Switch to light theme' : 'Switch to dark theme',
          leftSection: icon(IconMoon),
          onClick: () => void shell('shell.setTheme', { theme: dark ? 'light' : 'dark' })
        }
      ]
    }
  ]
  return (
    <Spotlight
      store={store}
      actions={[...typed, ...commands.map(({ group, actions }) => ({ group, actions: actions.filter(says(text)) }))]}
      // What is typed comes first whatever its words are: all is chosen already.
      filter={(_, actions) => actions}
      query={text}
      onQueryChange={setText}
      limit={12}
      scrollable={false}
      size={600}
      shortcut="mod + K"
      searchProps={{
        placeholder: 'Leaf number, command or filter',
        'aria-label': 'Search or run a command',
        leftSection: icon(IconSearch)
      }}
      overlayProps={{ backgroundOpacity: 0.32, blur: 0 }}
      transitionProps={{ duration: 0 }}
      attributes={{ content: { 'aria-label': 'Command palette' } }}
    />
  )
}
