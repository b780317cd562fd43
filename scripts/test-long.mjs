import { checkPage, conclude, runVitest } from './checks.mjs'
import { install } from './install.mjs'

// `npm run test:long`: every suite on every engine and behind every face, load, crashes at every step, and properties with
// ten times as many tries. Arguments go to vitest: with `--tags-filter=long` only what `npm test` leaves out.
try {
  await install()
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
const page = checkPage()
const projects = ['unit', 'house', 'contracts', 'e2e', 'browser', 'load', 'fuzz']
process.exitCode = conclude([page, ...runVitest(projects, process.argv.slice(2)).rows])
