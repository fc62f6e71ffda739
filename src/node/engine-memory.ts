// SPDX-License-Identifier: Apache-2.0

/**
 * The environment an engine process is started with, from that of its starter. The allocator of glibc gives each thread an arena of its own that keeps what was freed:
 * with two for all, an export of 40,000 records took 91 MB instead of 257, in one
 * run each (npm run bench -- bundle). Whether ingest gets slower by it could not be told from the noise of the machine.
 */
export const engineProcessEnv = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  process.platform === 'linux' ? { MALLOC_ARENA_MAX: '2', ...env } : env
