import { z } from 'zod'

/**
 * Which paths need a second look before Carrel writes them, by rules of the Space: anchored globs, first match wins.
 * `confirm` must be named by whoever carries out a plan; `block` is never written by one.
 */
export const PathClass = z.enum(['system', 'platform', 'work', 'temporary'])
export type PathClass = z.infer<typeof PathClass>

export const ContentionRule = z.object({
  /** Anchored at the root of the place; `**` crosses folders, `*` does not; case counts. */
  glob: z.string().min(1).max(1_024),
  class: PathClass,
  action: z.enum(['allow', 'confirm', 'block']),
})
export type ContentionRule = z.infer<typeof ContentionRule>

/** What of a Space's files is covered and guarded; a person may change it. */
export const FileRules = z.object({
  /** Lines as in an ignore file: what is left out of the history. A line with `!` brings something back in. */
  ignore: z.array(z.string().max(1_024)).max(1_000),
  /** Also leave out what the folder's own `.gitignore` files name. */
  useGitignore: z.boolean(),
  /** Files over this are gaps. Bytes. */
  maxFileBytes: z.number().int().min(0),
  contention: z.array(ContentionRule).max(1_000),
})
export type FileRules = z.infer<typeof FileRules>
