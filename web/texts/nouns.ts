import type { Noun } from '../shell/noun.ts'

/** The things of the tree, within a sentence. */
export const NOUNS: Record<Noun, string> = { space: 'space', project: 'project', session: 'session' }
