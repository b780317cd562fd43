import { checkPage, conclude, runVitest } from './checks.mjs'
import { install } from './install.mjs'

// `npm run test:long`: what `npm test` leaves out. Together they run every suite on every engine and behind every face.
// Arguments go to vitest.
try {
  await install()
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
const page = checkPage()
const projects = ['unit', 'house', 'promises', 'stories', 'browser', 'crowds']
process.exitCode = conclude([page, ...runVitest(projects, ['--tags-filter=long', ...process.argv.slice(2)]).rows])
