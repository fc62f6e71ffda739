// SPDX-License-Identifier: Apache-2.0
// Run by electron-builder before it signs: what a runtime brings along for starting other apps is not for a package.
const { rmSync } = require('node:fs')
const { join } = require('node:path')

exports.default = async ({ appOutDir, packager }) => {
  const resources =
    packager.platform.name === 'mac'
      ? join(appOutDir, `${packager.appInfo.productFilename}.app`, 'Contents', 'Resources')
      : join(appOutDir, 'resources')
  rmSync(join(resources, 'default_app.asar'), { force: true })
  rmSync(join(appOutDir, 'version'), { force: true })
}
