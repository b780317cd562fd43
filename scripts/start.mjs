import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ROOT } from './carried.mjs'
import { install } from './install.mjs'
import { buildPage } from './page.mjs'

// `npm start`: from a fresh clone to a served page. Runs on Node 20 with nothing installed; arguments go to `carrel serve`.
try {
  await install()
  buildPage()
  const carrel = join(ROOT, 'bin', 'carrel.cjs')
  process.argv = [process.argv[0], carrel, 'serve', ...process.argv.slice(2)]
  createRequire(import.meta.url)(carrel)
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
