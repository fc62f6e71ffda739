// SPDX-License-Identifier: Apache-2.0
import type { Anchor } from '../shared/contract/anchors.ts'
import type { CliEnvironment } from './config.ts'
import { EXIT, print, say } from './output.ts'
import { type WorkspaceOptions, withEngine } from './workspace-commands.ts'

const line = ({ time, kind, size, name, url }: Anchor): string => `${time} · ${kind} · ${size} leaves · ${name} · ${url}`

/** Anchors outside this machine, newest first. */
export const listAnchors = (options: WorkspaceOptions, environment: CliEnvironment): Promise<number> =>
  withEngine(options, environment, async (engine) => {
    const found = await engine.call('anchors.list', { limit: 1000 })
    if (options.json) print(JSON.stringify(found))
    else {
      for (const anchor of found.anchors) print(line(anchor))
      if (found.anchors.length === 0) print('no anchor outside this machine')
      say(`${found.anchoring.state}${found.anchoring.message ? `: ${found.anchoring.message}` : ''}`)
    }
    return EXIT.done
  })

/** Asks the authority and the witnesses for the newest checkpoint; 1 when none of them gave an anchor. */
export const anchorNow = (options: WorkspaceOptions, environment: CliEnvironment): Promise<number> =>
  withEngine(options, environment, async (engine) => {
    say('asking for an anchor over the newest checkpoint')
    const { anchored } = await engine.call('anchors.now', {})
    if (options.json) print(JSON.stringify({ anchored }))
    else for (const anchor of anchored) print(line(anchor))
    if (anchored.length === 0) say('the newest checkpoint is anchored already')
    return EXIT.done
  })
