import { asCarrelError, CarrelError } from '../../model/errors.ts'

/**
 * Tells whether a transaction failed by a conflict with another, so that a repetition helps. @see
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function mayRetry(thrown: unknown): boolean {
  const { code } = (thrown ?? {}) as { code?: unknown }
  return code === '40001' || code === '40P01'
}

/** Converts an error of `pg`, without the address. A mistake in Carrel's own SQL stays `internal`. */
export function fromPostgres(thrown: unknown): CarrelError {
  if (thrown instanceof CarrelError) return thrown
  const { code } = (thrown ?? {}) as { code?: unknown }
  const message = typeof code === 'string' ? messageFor(code) : lostConnection(thrown)
  if (message !== null) return new CarrelError('unavailable', message, { postgres: code ?? null }, thrown)
  // Postgres cannot store a text with a NUL.
  if (code === '22021' || code === '22P05') {
    return new CarrelError('bad_input', 'A text holds a character that cannot be stored (NUL).', undefined, thrown)
  }
  return asCarrelError(thrown)
}

function messageFor(code: string): string | null {
  if (/^(ECONN|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EPIPE|EAI_)/.test(code) || code.startsWith('08')) {
    return 'The Postgres server cannot be reached. Check that it runs and that databaseUrl is right, then try again.'
  }
  if (code.startsWith('57P')) return 'The Postgres server is stopping or starting. Try again in a moment.'
  if (code.startsWith('28') || code === '3D000' || code === '42501') {
    return 'The Postgres server refuses this user or database. Check databaseUrl and the rights of its user.'
  }
  if (code === '53100')
    return 'The disk of the Postgres server is full. Nothing was written. Make room, then try again.'
  if (code.startsWith('53')) return 'The Postgres server is out of resources. Try again in a moment.'
  if (code.startsWith('58') || code.startsWith('XX')) {
    return 'The Postgres server reported a disk error. Nothing was written. Check its log.'
  }
  if (code === '25006') return 'The Postgres server is read-only now, so nothing was written.'
  return mayRetry({ code }) ? 'Other writes to the same rows conflicted too often. Try again.' : null
}

function lostConnection(thrown: unknown): string | null {
  const message = thrown instanceof Error ? thrown.message : ''
  if (!/Connection terminated|timeout exceeded when trying to connect|not queryable/.test(message)) return null
  return 'The connection to the Postgres server was lost. Check before you repeat: the write may have succeeded.'
}
