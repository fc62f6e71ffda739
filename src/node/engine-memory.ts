// SPDX-License-Identifier: Apache-2.0

/**
 * The environment an engine process is started with, from that of its starter. The allocator of glibc gives each thread an arena of its own that keeps what was freed:
 * with two for all, an export of 40,000 records took 91 MB instead of 257, in one
 * run each (npm run bench -- bundle). Whether ingest gets slower by it could not be told from the noise of the machine.
 */
export const engineProcessEnv = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  process.platform === 'linux' ? { MALLOC_ARENA_MAX: '2', ...env } : env

/**
 * Limits of a thread that reads. Left to itself, V8 lets the space for new objects grow to 128 MB a thread, and content that was read and let
 * go stands there with them: with 8 MB a million records are verified in 400 MB, in the same time (npm run bench -- bundle).
 */
export const readerMemory = { maxYoungGenerationSizeMb: 12 } as const
