/** The levels of a workspace's tree. The operations of each are named `${noun}s.verb`. */
export type TreeNoun = 'space' | 'project' | 'session'

/** Names of the levels, for use within a sentence. */
export const NOUNS: Record<TreeNoun, string> = { space: 'Space', project: 'project', session: 'session' }
