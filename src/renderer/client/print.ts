// SPDX-License-Identifier: Apache-2.0
import { useState } from 'react'
import { shell } from './bridge.ts'
import { messageOf } from './hooks.ts'

export interface Printable {
  readonly html: string
  readonly footer: string
  readonly name: string
}

export interface Printing {
  readonly busy: boolean
  /** Where the last one went. */
  readonly saved: string | null
  readonly error: string | null
  readonly print: (page: () => Promise<Printable>) => void
}

/** Saves a page of the engine as a PDF, wherever the person says. */
export function usePrint(): Printing {
  const [state, setState] = useState<Omit<Printing, 'print'>>({ busy: false, saved: null, error: null })
  const run = async (page: () => Promise<Printable>) => {
    setState({ busy: true, saved: null, error: null })
    try {
      const { html, footer, name } = await page()
      const { saved } = await shell('shell.savePdf', { html, footer, suggested_name: `${name}.pdf` })
      setState({ busy: false, saved: saved?.path ?? null, error: null })
    } catch (error) {
      setState({ busy: false, saved: null, error: messageOf(error) })
    }
  }
  return { ...state, print: (page) => void run(page) }
}
