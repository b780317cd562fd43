import { checkSources } from './check-sources.mjs'
import { checkPage, conclude, runVitest } from './checks.mjs'
import { install } from './install.mjs'
import { judgeTime, secondsOfChildren } from './processor-time.mjs'

/** Processor time that a whole run may take on a machine that does nothing else. Seconds. */
const BUDGET = 540

// `npm test`: installs what is missing, then everything a user needs in order to trust Carrel. Arguments go to vitest.
try {
  await install()
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
const before = secondsOfChildren()
const rows = [...(await checkSources()), checkPage()]
const args = process.argv.slice(2)
const tested = runVitest(['unit', 'house', 'contracts', 'e2e', 'browser', 'fuzz'], ['--tags-filter=!long', ...args])
rows.push(...tested.rows)
// A part of the tests says nothing about the whole.
if (args.length === 0 && before !== null)
  rows.push(judgeTime(secondsOfChildren() - before + tested.orphanSeconds, BUDGET))
process.exitCode = conclude(rows)
