/** What the tree of a workspace is made of. Operations on each are called `${noun}s.verb`. */
export type Noun = 'space' | 'project' | 'session'
