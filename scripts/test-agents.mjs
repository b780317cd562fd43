import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './carried.mjs'
import { checkPage, conclude, runVitest } from './checks.mjs'
import { install } from './install.mjs'

// `npm run test:agents`: real agents from the registry, driven against a scripted model. They live in a package of
// their own (test/agents), so that nobody has to install them in order to use Carrel.
const AGENTS = join(ROOT, 'test', 'agents')
if (!existsSync(AGENTS)) {
  console.log('There are no suites with real agents in this checkout (test/agents is missing).\n0 passed, 0 failed')
  process.exit(0)
}
try {
  await install()
  if (existsSync(join(AGENTS, 'package-lock.json'))) await install(AGENTS)
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
const page = checkPage()
process.exitCode = conclude([page, ...runVitest(['agents'], process.argv.slice(2)).rows])
