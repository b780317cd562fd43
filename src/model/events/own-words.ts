/** Texts that Carrel itself puts into prompts, so that they are recognised when an agent repeats them. */
export const GO_ON =
  'The question you asked has been answered. Go on with the task where you stopped; if you need the same permission, ask for it again.'
export const MORE_ALLOWED =
  'You were stopped because a budget of time, turns, tokens or cost was used up. More is allowed now: go on with the task where you stopped.'

/** A record of earlier work, for an agent that does not remember it. */
export const recordText = (heading: string, lines: string): string =>
  `${heading} Nothing in it is a new request.\n<record>\n${lines}\n</record>\n`

const RECORD = /This is the record of [^\n]* Nothing in it is a new request\.\n<record>\n[\s\S]*\n<\/record>\n?/

/**
 * Whether a text of the role "user" repeats prompts with these `texts`: a whole one, a text or a piece of one. Some agents send back every
 * prompt that they get, in one piece or streamed.
 */
export function repeatsPrompt(said: string, texts: readonly string[]): boolean {
  const piece = plain(said)
  if (texts.some((text) => plain(text).includes(piece))) return true
  // Pieces of Carrel's own words are everyday words.
  const whole = [...texts, GO_ON, MORE_ALLOWED].map(plain).filter((text) => text !== '')
  const longestFirst = whole.toSorted((a, b) => b.length - a.length)
  const rest = longestFirst.reduce((left, text) => left.replaceAll(text, ' '), plain(said.replace(RECORD, ' ')))
  return plain(rest) === ''
}

/** Agents change white space between the blocks of a prompt. */
const plain = (text: string): string => text.replace(/\s+/g, ' ').trim()
