// SPDX-License-Identifier: Apache-2.0
// The layers of the architecture. `parser: 'swc'` is needed: with TypeScript 7 the default finds no modules at all and succeeds.
// Run through scripts/layers.ts, which asserts that modules were seen.
const tests = '\\.test\\.tsx?$|/test-support\\.ts$|/testing/'

/** @type {(name: string, from: object, to: object) => object} */
const never = (name, from, to) => ({ name, severity: 'error', from, to })

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    never('no-circular', {}, { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } }),
    never('not-to-unresolvable', {}, { couldNotResolve: true }),

    never('shared-is-a-leaf', { path: '^src/shared' }, { path: '^src/(main|preload|engine|renderer|cli|node|page|verify-page|docs-page)/' }),
    never('node-library-stands-alone', { path: '^src/node' }, { path: '^src/(main|preload|engine|renderer|cli)' }),
    never('engine-stands-alone', { path: '^src/engine' }, { path: '^src/(main|preload|renderer|cli)' }),
    never('main-meets-others-in-shared', { path: '^src/main' }, { path: '^src/(engine|preload|renderer|cli)' }),
    never('preload-meets-others-in-shared', { path: '^src/preload' }, { path: '^src/(engine|main|renderer|cli)' }),
    never('renderer-meets-others-in-shared', { path: '^src/renderer' }, { path: '^src/(engine|main|preload|cli|node)' }),
    never('cli-meets-others-in-shared', { path: '^src/cli', pathNot: tests }, { path: '^src/(engine|main|preload|renderer)' }),
    never('verify-page-stands-alone', { path: '^src/verify-page' }, { path: '^src/(main|preload|engine|renderer|cli|node)' }),
    never('docs-page-stands-alone', { path: '^src/docs-page' }, { path: '^src/(main|preload|engine|renderer|cli|node|verify-page)' }),
    never('page-parts-stand-alone', { path: '^src/page/' }, { path: '^src/(?!page/)' }),
    never('features-do-not-meet', { path: '^src/renderer/features/([^/]+)/' }, { path: '^src/renderer/features/', pathNot: '^src/renderer/features/$1/' }),

    never('shared-is-pure', { path: '^src/shared', pathNot: tests }, { dependencyTypes: ['core'] }),
    never('renderer-has-no-node', { path: '^src/(renderer|page|verify-page|docs-page)', pathNot: tests }, { dependencyTypes: ['core'] }),
    never('electron-in-main-and-preload', { path: '^src', pathNot: '^src/(main|preload)/' }, { path: '^(node_modules/)?electron(/|$)' }),
    never('sqlite-in-its-folders', { path: '^src', pathNot: `^src/engine/(sqlite|ledger|vault|catalog)/|${tests}` }, { path: '^node_modules/better-sqlite3/' }),
    never('fastify-in-the-server', { path: '^src', pathNot: '^src/engine/capture/http/' }, { path: '^node_modules/(@fastify|fastify)' }),
    never('echarts-in-its-wrapper', { path: '^src', pathNot: '^src/renderer/ui/chart\\.tsx$' }, { path: '^node_modules/(echarts|zrender)/' })
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types', 'style'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.css', '.d.ts']
    }
  }
}
