import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildNode, buildTypes } from './bundle.mjs'
import { ROOT } from './carried.mjs'
import { install } from './install.mjs'
import { gatherLicenses } from './licenses.mjs'
import { buildPage } from './page.mjs'

// `npm pack` and `npm publish` run this first: it builds the files of the package that a checkout lacks.
try {
  await install()
  if (buildPage() === 'absent') throw new Error('web/index.html is missing: the package needs its page.')
  buildNode()
  buildTypes()
  writeFileSync(join(ROOT, 'dist', 'node', 'THIRD-PARTY-LICENSES.md'), await gatherLicenses())
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
