/** The server's name for the one person who is logged in. */
const READER = 'owner'

/** Returns a person's name for the beginning of a line. The reader is "You". */
export const personName = (name: string): string => (name === READER ? 'You' : name)

/** Returns a person's name for use within a sentence. */
export const namedWithin = (name: string): string => (name === READER ? 'you' : name)
