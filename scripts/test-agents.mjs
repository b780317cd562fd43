import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './carried.mjs'
import { conclude, runVitest } from './checks.mjs'
import { install } from './install.mjs'

// `npm run test:agents`: real agents from the registry, driven against a scripted model. They live in a package of
// their own (test/agents), so that nobody has to install them in order to use Carrel.
try {
  await install()
  const agents = join(ROOT, 'test', 'agents')
  if (existsSync(join(agents, 'package-lock.json'))) await install(agents)
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
process.exitCode = conclude(runVitest(['agents'], process.argv.slice(2)))
