import { asCarrelError, CarrelError } from '../../model/errors.ts'

/** Another transaction was in the way; the same again will do. @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
export function mayRetry(thrown: unknown): boolean {
  const { code } = (thrown ?? {}) as { code?: unknown }
  return code === '40001' || code === '40P01'
}

/** What `pg` threw, in Carrel's words; a mistake of Carrel's own SQL stays `internal`. Never tells the address. */
export function fromPostgres(thrown: unknown): CarrelError {
  if (thrown instanceof CarrelError) return thrown
  const { code } = (thrown ?? {}) as { code?: unknown }
  const message = typeof code === 'string' ? trouble(code) : lostConnection(thrown)
  if (message !== null) return new CarrelError('unavailable', message, { postgres: code ?? null }, thrown)
  // A text with a NUL in it, which Postgres cannot hold.
  if (code === '22021' || code === '22P05') {
    return new CarrelError('bad_input', 'A text holds a character that cannot be stored (NUL).', undefined, thrown)
  }
  return asCarrelError(thrown)
}

function trouble(code: string): string | null {
  if (/^(ECONN|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EPIPE|EAI_)/.test(code) || code.startsWith('08')) {
    return 'The Postgres server cannot be reached. Check that it runs and that databaseUrl is right, then try again.'
  }
  if (code.startsWith('57P')) return 'The Postgres server is stopping or starting. Try again in a moment.'
  if (code.startsWith('28') || code === '3D000' || code === '42501') {
    return 'The Postgres server refuses this user or database. Check databaseUrl and the rights of its user.'
  }
  if (code === '53100')
    return 'The disk of the Postgres server is full. Nothing was written. Make room, then try again.'
  if (code.startsWith('53')) return 'The Postgres server has no room for more work. Try again in a moment.'
  if (code.startsWith('58') || code.startsWith('XX')) {
    return 'The Postgres server has trouble with its disk. Nothing was written. Look at its log.'
  }
  if (code === '25006') return 'The Postgres server takes no writes now: it is read-only.'
  return mayRetry({ code }) ? 'Others were writing the same rows all the time. Try again.' : null
}

function lostConnection(thrown: unknown): string | null {
  const said = thrown instanceof Error ? thrown.message : ''
  if (!/Connection terminated|timeout exceeded when trying to connect|not queryable/.test(said)) return null
  return 'The connection to the Postgres server was lost. Look again before you repeat: it may have been written.'
}
