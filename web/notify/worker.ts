import type { OpenSession } from './notification.ts'

/*
 * Shows notifications where pages cannot (Chrome on Android), and opens their sessions. The worker handles no request
 * and caches nothing, so it never shows stale content.
 */

/** The parts of a service worker's scope that are used here. The types of the page do not include them. */
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

/** Opens a session in the page that shows it, else in any page, which keeps its drafts; else in a new page. */
async function open(asked: OpenSession): Promise<void> {
  const path = `/s/${asked.open}`
  const pages = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true })
  const page = pages.find(({ url }) => new URL(url).pathname === path) ?? pages[0]
  if (!page) return void (await scope.clients.openWindow(path))
  page.postMessage(asked)
  // A browser may refuse to focus a page. The navigation matters more.
  await page.focus().catch(() => undefined)
}
