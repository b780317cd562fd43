import { checkSources } from './check-sources.mjs'
import { conclude } from './checks.mjs'
import { install } from './install.mjs'

// `npm run check`: types and style only, of what changed since the last check that passed.
try {
  await install()
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
process.exitCode = conclude(await checkSources())
