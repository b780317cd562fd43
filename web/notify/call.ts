/** What a notification carries, and what the service worker tells the page when one was pressed. */
export interface OpenSession {
  readonly open: string
}

/** One thing to call a person for. */
export interface Call {
  readonly title: string
  readonly body: string
  /** The same tag twice is one notification, so several hidden tabs do not multiply it. */
  readonly tag: string
  readonly session: string
}

const WORKER = '/service-worker.js'

/**
 * The service worker of this page, or null where the browser allows none. Asked for once: its registration lasts longer
 * than the page.
 */
export const worker: Promise<ServiceWorkerRegistration | null> = register()

async function register(): Promise<ServiceWorkerRegistration | null> {
  if (!isSecureContext || !('serviceWorker' in navigator)) return null
  try {
    await navigator.serviceWorker.register(WORKER)
    return await navigator.serviceWorker.ready
  } catch {
    // Private windows of some browsers; the page calls by itself then.
    return null
  }
}

/** Shows it; `open` is what a press on it does, when it is not the worker that hears of the press. */
export async function showCall({ title, body, tag, session }: Call, open: (session: string) => void): Promise<void> {
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

/** Hears of presses on notifications that the worker showed. @returns stops it */
export function hearPresses(open: (session: string) => void): () => void {
  if (!('serviceWorker' in navigator)) return () => undefined
  const hear = ({ data }: MessageEvent<OpenSession>): void => open(data.open)
  navigator.serviceWorker.addEventListener('message', hear)
  return () => navigator.serviceWorker.removeEventListener('message', hear)
}
