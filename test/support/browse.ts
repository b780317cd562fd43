import { cdp } from './browser-setup.ts'

/** For commands of the scripted agent: opens an address in the browser that its run has, and says the title. */
const url = process.env.CARREL_BROWSER_URL ?? ''
process.stdout.write(`at ${url}: ${await cdp(url, 'document.title', process.argv[2] ?? '')}\n`)
