import { createHash, randomBytes } from 'node:crypto'
import type { Login } from '../http/auth.ts'

export interface PreviewLogin {
  readonly preview: string
  readonly workspace: string
  readonly login: Login
  /** Open connections, destroyed when the login ends. */
  readonly open: Set<{ destroy(): void }>
}

const TICKET_MS = 60_000
/** Maximum number of tickets, and of logins; the oldest is dropped. */
const MOST = 1_000

export type PreviewLogins = ReturnType<typeof createPreviewLogins>

/**
 * Logins at previews, kept in memory: after a restart, one click in Carrel renews them. A preview login ends with its
 * login to Carrel.
 */
export function createPreviewLogins(now: () => number) {
  const tickets = new Map<string, PreviewLogin & { endsAt: number }>()
  const logins = new Map<string, PreviewLogin>()
  const isOver = ({ login }: PreviewLogin) => login.endsAt <= now()
  const drop = (key: string): void => {
    const known = logins.get(key)
    logins.delete(key)
    for (const each of known?.open ?? []) each.destroy()
  }
  return {
    /** Issues a ticket: a bearer secret for one use within a minute. */
    ticket(preview: string, workspace: string, login: Login): string {
      const value = secret()
      tickets.set(keyOf(value), { preview, workspace, login, open: new Set(), endsAt: now() + TICKET_MS })
      const [oldest = ''] = tickets.keys()
      if (tickets.size > MOST) tickets.delete(oldest)
      return value
    },
    /** Exchanges a ticket. @returns the value of a cookie, or null for a used, expired or foreign ticket */
    enter(ticket: string, preview: string): { readonly value: string; readonly endsAt: number } | null {
      const key = keyOf(ticket)
      const known = tickets.get(key)
      tickets.delete(key)
      if (!known || known.endsAt <= now() || known.preview !== preview || isOver(known)) return null
      const value = secret()
      logins.set(keyOf(value), known)
      const [oldest = ''] = logins.keys()
      if (logins.size > MOST) drop(oldest)
      return { value, endsAt: known.login.endsAt }
    },
    find(cookies: readonly string[], preview: string): PreviewLogin | null {
      for (const cookie of cookies) {
        const known = logins.get(keyOf(cookie))
        if (known?.preview === preview && !isOver(known)) return known
      }
      return null
    },
    isOver,
    end(login: string): void {
      for (const [key, known] of logins) if (known.login.id === login) drop(key)
      for (const [key, known] of tickets) if (known.login.id === login) tickets.delete(key)
    },
    all: (): Iterable<PreviewLogin> => logins.values(),
  }
}

const secret = (): string => randomBytes(32).toString('base64url')

/** Returns the digest used as key, so that look-up times reveal nothing about valid secrets. */
const keyOf = (value: string): string => createHash('sha256').update(value).digest('base64url')
