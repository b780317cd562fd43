import type { OpenSession } from './call.ts'

/*
 * Shows notifications where pages may not (Chrome on Android), and leads from one to its session. It answers no request
 * of the page and keeps nothing, so it cannot show what is not so any more.
 */

/** What of a service worker is used here; the page's own types do not know it. */
interface Scope {
  readonly clients: {
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<readonly Window[]>
    openWindow(path: string): Promise<unknown>
  }
  skipWaiting(): Promise<void>
  addEventListener(type: 'install' | 'notificationclick', act: (event: Happened) => void): void
}
interface Window {
  readonly url: string
  focus(): Promise<unknown>
  postMessage(message: OpenSession): void
}
interface Happened {
  readonly notification: { readonly data: OpenSession; close(): void }
  waitUntil(work: Promise<unknown>): void
}

const scope = globalThis as unknown as Scope

scope.addEventListener('install', (event) => event.waitUntil(scope.skipWaiting()))

scope.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(open(event.notification.data))
})

/** In the page that shows it, else in any, which goes there without losing a draft; else in a new one. */
async function open(asked: OpenSession): Promise<void> {
  const path = `/s/${asked.open}`
  const pages = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true })
  const page = pages.find(({ url }) => new URL(url).pathname === path) ?? pages[0]
  if (!page) return void (await scope.clients.openWindow(path))
  page.postMessage(asked)
  // A browser may refuse to bring a page to the front; that it leads there is worth more.
  await page.focus().catch(() => undefined)
}
