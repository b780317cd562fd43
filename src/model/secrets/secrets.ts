import { z } from 'zod'
import { AgentId, Millis, ProjectId, SpaceId, WorkspaceId } from '../ids.ts'
import { SHORTEST_SECRET } from './mask.ts'

/** Reserved variable names: they control how programs start, or belong to Carrel. People must not set them. */
const TAKEN =
  /^(PATH|HOME|SHELL|USER|LOGNAME|TERM|TMPDIR|TMP|TEMP|LANG|LANGUAGE|TZ|IFS|ENV|BASH_ENV|NODE_OPTIONS|LC_.*|LD_.*|DYLD_.*|CARREL_.*)$/

export const isTakenName = (name: string): boolean => TAKEN.test(name)

/** Name of a secret: the name of its environment variable in runs. */
export const SecretName = z
  .string()
  .regex(/^[A-Z_][A-Z0-9_]{0,127}$/, 'takes 1 to 128 capital letters, digits and _, and begins with no digit')
  .refine((name) => !isTakenName(name), 'is reserved for programs or Carrel; choose another name')
  .describe('Name of a secret: that of its environment variable.')
export type SecretName = z.infer<typeof SecretName>

/** Value of a secret. A short value looks like ordinary text and could not be masked in logs (B3). */
export const SecretValue = z
  .string()
  .min(SHORTEST_SECRET, `needs at least ${SHORTEST_SECRET} characters: a shorter value could not be masked in logs`)
  .max(16_384, 'takes at most 16384 characters')
  .refine((value) => !value.includes('\0'), 'must not contain a zero byte: no environment variable can hold one')

/**
 * Secret without its value, which no operation returns. Its scope is a workspace, a Space or a project; of several
 * secrets with one name, a run gets the most specific.
 */
export const Secret = z.object({
  workspace: WorkspaceId,
  space: SpaceId.nullable(),
  project: ProjectId.nullable(),
  name: SecretName,
  /** Agents that receive the secret; null for all. */
  give: z.array(AgentId).nullable(),
  /** Encryption key: a part of the key's digest. */
  key: z.string(),
  createdAt: Millis,
  updatedAt: Millis,
})
export type Secret = z.infer<typeof Secret>

export interface SealedSecret extends Secret {
  readonly sealed: string
}

/** Scopes of a run, from general to specific. */
export interface SecretPlace {
  readonly workspace: string
  readonly space: string
  readonly project: string
}

const RANK = ({ space, project }: Secret): number => (project !== null ? 2 : space !== null ? 1 : 0)

/** Returns the secrets of a run: the most specific of each name, limited to those that its agent receives. */
export function secretsFor<S extends Secret>(all: readonly S[], place: SecretPlace, agent: string): S[] {
  const nearest = new Map<string, S>()
  for (const secret of all) {
    if (secret.workspace !== place.workspace) continue
    if (secret.space !== null && secret.space !== place.space) continue
    if (secret.project !== null && secret.project !== place.project) continue
    const known = nearest.get(secret.name)
    if (!known || RANK(secret) > RANK(known)) nearest.set(secret.name, secret)
  }
  return [...nearest.values()].filter(({ give }) => give === null || give.includes(agent))
}
