/**
 * Every deliberate failure of Carrel. Clients match on the code, never on the message.
 * `status`: HTTP status. `exit`: exit code of the CLI. `retry`: whether the same call may succeed later.
 */
export const ERRORS = {
  bad_input: { status: 400, exit: 64, retry: false },
  unauthenticated: { status: 401, exit: 77, retry: false },
  forbidden: { status: 403, exit: 77, retry: false },
  not_found: { status: 404, exit: 66, retry: false },
  busy: { status: 409, exit: 75, retry: true },
  stale_plan: { status: 409, exit: 65, retry: false },
  conflict: { status: 409, exit: 65, retry: false },
  already_answered: { status: 409, exit: 65, retry: false },
  lease_lost: { status: 409, exit: 75, retry: true },
  gone: { status: 410, exit: 66, retry: false },
  too_large: { status: 413, exit: 64, retry: false },
  paused: { status: 423, exit: 69, retry: false },
  over_budget: { status: 429, exit: 75, retry: true },
  internal: { status: 500, exit: 70, retry: false },
  unavailable: { status: 503, exit: 69, retry: true },
} as const satisfies Record<string, { status: number; exit: number; retry: boolean }>

export type ErrorCode = keyof typeof ERRORS

/** Failure on the wire. `message`: a sentence for a person. `data`: details for a program. */
export interface Problem {
  readonly code: ErrorCode
  readonly message: string
  readonly data?: unknown
}

/** The only error class. `message` says what failed and what to do next; `cause` keeps the original error. */
export class CarrelError extends Error {
  readonly code: ErrorCode
  readonly data: unknown

  constructor(code: ErrorCode, message: string, data?: unknown, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'CarrelError'
    this.code = code
    this.data = data
  }

  toJSON(): Problem {
    return this.data === undefined
      ? { code: this.code, message: this.message }
      : { code: this.code, message: this.message, data: this.data }
  }
}

/** Converts any thrown value to a CarrelError; unexpected errors become `internal`. */
export function asCarrelError(thrown: unknown): CarrelError {
  if (thrown instanceof CarrelError) return thrown
  const detail = thrown instanceof Error ? thrown.message : String(thrown)
  return new CarrelError('internal', `Carrel has an internal error: ${detail}`, undefined, thrown)
}

/** Rebuilds the error that a server sent; an unknown body becomes `internal` or `unavailable`. */
export function errorFromProblem(body: unknown, status: number): CarrelError {
  const problem = (body as { error?: Partial<Problem> } | null)?.error
  if (problem?.code && Object.hasOwn(ERRORS, problem.code))
    return new CarrelError(problem.code, problem.message ?? '', problem.data)
  const code = status >= 502 ? 'unavailable' : 'internal'
  return new CarrelError(code, `The server answered with status ${status} and an unknown error.`, { status })
}
