import { checkSources } from './check-sources.mjs'
import { checkPage, conclude, runVitest } from './checks.mjs'
import { install } from './install.mjs'

// `npm test`: installs what is missing, then everything that can be checked without a real agent. Arguments go to vitest.
try {
  await install()
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
const rows = [...(await checkSources()), checkPage()]
rows.push(...runVitest(['unit', 'house', 'promises', 'stories', 'browser', 'crowds'], process.argv.slice(2)))
process.exitCode = conclude(rows)
