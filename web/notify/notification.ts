import type { News } from './news.ts'

/** The content of a notification, and the message of the service worker after a click on it. */
export interface OpenSession {
  readonly open: string
}

const WORKER = '/service-worker.js'

/** The service worker of this page, registered once: it outlives the page. Null in a browser without workers. */
const worker: Promise<ServiceWorkerRegistration | null> = register()

async function register(): Promise<ServiceWorkerRegistration | null> {
  if (!isSecureContext || !('serviceWorker' in navigator)) return null
  try {
    await navigator.serviceWorker.register(WORKER)
    return await navigator.serviceWorker.ready
  } catch {
    // Private windows of some browsers refuse it. The page then shows notifications itself.
    return null
  }
}

/** Shows a notification. `open` runs on a click, unless the worker handles the click. */
export async function showNotification(
  { title, body, tag, session }: News,
  open: (session: string) => void,
): Promise<void> {
  const options = { body, tag, icon: '/icon-192.png' }
  const registered = await worker
  if (registered) {
    const data: OpenSession = { open: session }
    return await registered.showNotification(title, { ...options, data })
  }
  const shown = new Notification(title, options)
  shown.onclick = () => {
    window.focus()
    shown.close()
    open(session)
  }
}

/** Listens for clicks on notifications of the worker. Returns a function that stops it. */
export function onNotificationClick(open: (session: string) => void): () => void {
  if (!('serviceWorker' in navigator)) return () => undefined
  const listen = ({ data }: MessageEvent<OpenSession>): void => open(data.open)
  navigator.serviceWorker.addEventListener('message', listen)
  return () => navigator.serviceWorker.removeEventListener('message', listen)
}
