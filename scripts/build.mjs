import { install } from './install.mjs'
import { buildPage } from './page.mjs'

// `npm run build`: builds the page, always.
try {
  await install()
  const outcome = buildPage({ force: true })
  console.log(
    outcome === 'absent' ? 'There is no page to build (web/index.html is missing).' : 'The page is in dist/web.',
  )
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
