import type { FastifyRequest } from 'fastify'
import { CarrelError } from '../../model/errors.ts'

/**
 * Joins path, query and body of a request to the input of an operation.
 * @throws bad_input when the body is no object, or when two of the three give different values for one field
 */
export function inputOf({
  query,
  body,
  params,
}: Pick<FastifyRequest, 'query' | 'body' | 'params'>): Record<string, unknown> {
  const input: Record<string, unknown> = Object.create(null)
  for (const [key, value] of [params, query, body].flatMap((part) => Object.entries(fields(part)))) {
    if (Object.hasOwn(input, key) && String(input[key]) !== String(value)) {
      const problem = 'Path, query and body give different values for this field. Send it once.'
      throw new CarrelError('bad_input', `\`${key}\`: ${problem}`, { problems: [{ field: key, problem }] })
    }
    input[key] ??= value
  }
  return input
}

function fields(part: unknown): object {
  if (part === undefined) return {}
  if (part === null || typeof part !== 'object' || Array.isArray(part))
    throw new CarrelError('bad_input', 'Send a JSON object as the body.')
  return part
}
