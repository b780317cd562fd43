import { checkStyle, checkTypes, conclude } from './checks.mjs'
import { install } from './install.mjs'

// `npm run check`: types and style only.
try {
  await install()
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
process.exitCode = conclude([...checkTypes(), checkStyle()])
