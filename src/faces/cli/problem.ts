import { CommanderError } from 'commander'
import { asCarrelError, CarrelError, ERRORS } from '../../model/errors.ts'
import { commandNow } from '../../model/old-names.ts'

export interface CommandFailure {
  readonly error: CarrelError
  readonly exit: number
}

/** Converts an error of a command to a CarrelError with its exit code. */
export function toFailure(thrown: unknown): CommandFailure {
  const error = thrown instanceof CommanderError ? usageError(thrown) : asCarrelError(thrown)
  return { error, exit: ERRORS[error.code].exit }
}

function usageError({ message }: CommanderError): CarrelError {
  const now = commandNow(/^error: unknown command '([^']+)'/.exec(message)?.[1] ?? '')
  if (now) return new CarrelError('bad_input', `The command is called \`carrel ${now}\` now.`)
  const [first = '', ...more] = message.replace(/^error: /, '').split('\n')
  const hint = more.join(' ').trim().replace(/^\(/, '').replace(/\)$/, '')
  const sentence = `${first.charAt(0).toUpperCase()}${first.slice(1)}`.replace(/[.]?$/, '.')
  return new CarrelError('bad_input', `${sentence} ${hint || 'See `carrel help`.'}`)
}

export const badInput = (message: string, data?: unknown): CarrelError => new CarrelError('bad_input', message, data)
