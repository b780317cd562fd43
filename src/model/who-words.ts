import type { Caller, Who } from './tree.ts'

const FACE_NAMES: Readonly<Record<Caller['face'], string>> = {
  web: 'the page',
  cli: 'terminal',
  api: 'API',
  library: 'library',
  mcp: 'MCP',
  acp: 'ACP',
  server: 'server',
}

/** Name of the caller who proves the token of an installation. Logs store this name; texts show "You". */
export const TOKEN_HOLDER = 'owner'

/** Returns the display name of an author: "You" for the person who holds the installation's token. */
export const nameOf = ({ name }: Pick<Who, 'name'>): string => (name === TOKEN_HOLDER ? 'You' : name)

export const faceName = (face: Who['face']): string => FACE_NAMES[face]
