import { z } from 'zod'
import { AgentId, Millis, RuleId, SpaceId, WorkspaceId } from './ids.ts'
import type { Question } from './interaction.ts'

/**
 * A standing answer to permission questions. Rules are tried in order, first match wins, none means `ask`.
 * A field that is null matches everything. `path` is an anchored glob on the path relative to the Space's folder,
 * or absolute when it starts with `/`; `command` is the whole command, with `*` for any run of characters.
 *
 * An `allow` is read narrowly: all paths must match, none may climb, and `*` stands for no character that could begin
 * another command. `ask` and `deny` are read widely: one matching path is enough, and `*` stands for anything.
 * Otherwise a call that touches a forbidden path and a harmless one would slip past the rule that forbids.
 */
export const Rule = z.object({
  id: RuleId,
  workspace: WorkspaceId,
  space: SpaceId.nullable(),
  action: z.enum(['allow', 'ask', 'deny']),
  agent: AgentId.nullable(),
  toolKind: z.string().max(64).nullable(),
  path: z.string().max(1024).nullable(),
  command: z.string().max(4096).nullable(),
  createdAt: Millis,
})
export type Rule = z.infer<typeof Rule>

export interface RuleSubject {
  readonly space: string
  readonly folder: string
  readonly agent: string
  readonly question: Question
}

/**
 * Finds the first rule that decides a question; null means that a person is asked.
 * Sees only what the question names: a symbolic link, or a file that a command opens, is not among the paths.
 */
export function decide(rules: readonly Rule[], subject: RuleSubject, matches: GlobMatch): Rule | null {
  if (subject.question.kind !== 'permission') return null
  const rule = rules.find((candidate) => applies(candidate, subject, matches))
  return rule && rule.action !== 'ask' ? rule : null
}

/** Whether a path (with `/` between its parts) matches an anchored glob. The engine passes its library's. */
export type GlobMatch = (path: string, glob: string) => boolean

function applies(rule: Rule, { space, folder, agent, question }: RuleSubject, matches: GlobMatch): boolean {
  if (rule.space !== null && rule.space !== space) return false
  if (rule.agent !== null && rule.agent !== agent) return false
  if (rule.toolKind !== null && rule.toolKind !== question.toolKind) return false
  const narrow = rule.action === 'allow'
  if (rule.command !== null && !commandMatches(question.command, rule.command, narrow)) return false
  // A path that climbs is not what it seems to be, so nothing is allowed for it without a person.
  if (narrow && question.paths.some((path) => path.split('/').includes('..'))) return false
  const glob = rule.path
  if (glob === null) return true
  const match = (path: string) => pathMatches(path, glob, folder, matches)
  return narrow ? question.paths.length > 0 && question.paths.every(match) : question.paths.some(match)
}

function pathMatches(path: string, glob: string, folder: string, matches: GlobMatch): boolean {
  const parts = resolve(path.startsWith('/') ? path : `${folder}/${path}`)
  if (glob.startsWith('/')) return matches(parts.join('/'), glob.slice(1))
  const root = resolve(folder)
  if (!root.every((part, at) => parts[at] === part)) return false
  return matches(parts.slice(root.length).join('/'), glob)
}

/** The parts of an absolute path, by its letters alone. */
function resolve(path: string): string[] {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts
}

/** What a shell reads as more than a word: `npm test*` does not stand for `npm test; rm -rf /`. */
const SHELL_SIGNS = /[;&|<>`$\n\r]/

/** Texts between the wildcards are looked for from left to right, so the cost grows with the length only. */
function commandMatches(command: string | null, pattern: string, narrow: boolean): boolean {
  if (command === null) return false
  const parts = pattern.split('*')
  const first = parts.shift() ?? ''
  const last = parts.pop()
  if (last === undefined) return command === pattern
  if (!command.startsWith(first)) return false
  const allowed = (gap: string) => !narrow || !SHELL_SIGNS.test(gap)
  let at = first.length
  for (const part of parts) {
    const found = command.indexOf(part, at)
    if (found < 0 || !allowed(command.slice(at, found))) return false
    at = found + part.length
  }
  const end = command.length - last.length
  return end >= at && command.endsWith(last) && allowed(command.slice(at, end))
}
