import { buildNode } from './bundle.mjs'
import { install } from './install.mjs'
import { buildPage } from './page.mjs'

// `npm run build`: builds the programs and the page, always.
try {
  await install()
  buildNode({ force: true })
  const outcome = buildPage({ force: true })
  const page =
    outcome === 'absent' ? 'There is no page to build (web/index.html is missing).' : 'The page is in dist/web.'
  console.log(`The programs are in dist/node. ${page}`)
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
