import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'

/** Returns the headless shell where it is installed, else a whole browser, else null. */
export function browserHere(): string | null {
  const known = [
    process.env.CARREL_CHROMIUM ?? '',
    '/usr/lib/chromium/chromium-headless-shell',
    '/usr/bin/chromium-headless-shell',
    '/usr/bin/chromium',
    '/usr/bin/google-chrome',
  ]
  return known.find((path) => path !== '' && existsSync(path)) ?? null
}

/**
 * Opens a page in the browser at `url` and evaluates an expression there; returns an empty string if the page does
 * not load.
 */
export async function cdp(url: string, expression: string, address: string): Promise<unknown> {
  const browser = await chromium.connectOverCDP(url)
  try {
    const page = await browser.contexts()[0]?.newPage()
    const answer = await page?.goto(address).catch(() => null)
    return answer ? await page?.evaluate(expression) : ''
  } finally {
    await browser.close()
  }
}
