// SPDX-License-Identifier: Apache-2.0
// First import of the page. Under `require-trusted-types-for 'script'` the libraries write styles and empty texts through innerHTML;
// anything that holds a `<` could be markup and is refused.
interface TrustedTypesFactory {
  createPolicy(name: string, rules: { createHTML(text: string): string }): unknown
}

const factory = (globalThis as { readonly trustedTypes?: TrustedTypesFactory }).trustedTypes
factory?.createPolicy('default', {
  createHTML: (text) => {
    if (text.includes('<')) throw new TypeError('markup is not allowed here')
    return text
  }
})
