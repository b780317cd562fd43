import { cdp } from './browser-setup.ts'

/**
 * Program for commands of the scripted agent: opens an address in the browser of its run and prints the page's title.
 */
const url = process.env.CARREL_BROWSER_URL ?? ''
process.stdout.write(`at ${url}: ${await cdp(url, 'document.title', process.argv[2] ?? '')}\n`)
