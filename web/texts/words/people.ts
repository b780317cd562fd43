import { nameOf, TOKEN_HOLDER } from '../../../src/model/who-words.ts'

/** Returns a person's name for the beginning of a line. The reader is "You". */
export const personName = (name: string): string => nameOf({ name })

/** Returns a person's name for use within a sentence. */
export const namedWithin = (name: string): string => (name === TOKEN_HOLDER ? 'you' : name)
