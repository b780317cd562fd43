import { createHash, randomBytes } from 'node:crypto'
import type { Login } from '../http/auth.ts'

/** Somebody who came from Carrel, at one preview. */
export interface PreviewLogin {
  readonly preview: string
  readonly workspace: string
  readonly login: Login
  /** What is under way for it: cut when it ends. */
  readonly open: Set<{ destroy(): void }>
}

/**
 * Who may see which preview. All in memory: a restart ends it, and one click in Carrel begins it again. It ends with
 * the login to Carrel that it came from.
 */
export interface PreviewLogins {
  /** For one use within a minute, by whoever has it. */
  ticket(preview: string, workspace: string, login: Login): string
  /** @returns the value of a cookie, or null when the ticket was used, is too old, or is for another preview */
  enter(ticket: string, preview: string): { readonly value: string; readonly endsAt: number } | null
  find(cookies: readonly string[], preview: string): PreviewLogin | null
  isOver(login: PreviewLogin): boolean
  /** Ends what came from this login to Carrel. */
  end(login: string): void
  readonly all: () => Iterable<PreviewLogin>
}

const TICKET_MS = 60_000
/** The oldest goes when there are more. */
const MOST = 1_000

export function createPreviewLogins(now: () => number): PreviewLogins {
  const tickets = new Map<string, PreviewLogin & { endsAt: number }>()
  const logins = new Map<string, PreviewLogin>()
  const isOver = ({ login }: PreviewLogin) => login.endsAt <= now()

  const drop = (key: string): void => {
    const known = logins.get(key)
    logins.delete(key)
    for (const each of known?.open ?? []) each.destroy()
  }

  return {
    ticket(preview, workspace, login) {
      const value = secret()
      tickets.set(keyOf(value), { preview, workspace, login, open: new Set(), endsAt: now() + TICKET_MS })
      const [oldest = ''] = tickets.keys()
      if (tickets.size > MOST) tickets.delete(oldest)
      return value
    },
    enter(ticket, preview) {
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
    find(cookies, preview) {
      for (const cookie of cookies) {
        const known = logins.get(keyOf(cookie))
        if (known?.preview === preview && !isOver(known)) return known
      }
      return null
    },
    isOver,
    end(login) {
      for (const [key, known] of logins) if (known.login.id === login) drop(key)
      for (const [key, known] of tickets) if (known.login.id === login) tickets.delete(key)
    },
    all: () => logins.values(),
  }
}

const secret = (): string => randomBytes(32).toString('base64url')

/** Looked up by digest: how long a look-up takes tells nothing of what would be right. */
const keyOf = (value: string): string => createHash('sha256').update(value).digest('base64url')
