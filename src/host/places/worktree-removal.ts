import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { CarrelError } from '../../model/errors.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import { type Git, GitFailure } from './git.ts'
import type { PlaceRecord, PlaceRisks } from './place.ts'
import { branchExists, checkedOutAt, commitsOnlyIn, registeredAs, underwayIn } from './repository.ts'
import { gitOf } from './worktree.ts'

const MOST = 200

/** Returns the losses of removing a worktree. Only reads (F1). */
export async function worktreeRisks(git: Git, record: PlaceRecord): Promise<PlaceRisks> {
  const { top, repository, branch } = gitOf(record)
  const registered = await registeredAs(top, repository)
  if (registered === null) {
    const there = (await absentAsNull(lstat(repository))) !== null && (await hasBranch(git, repository, branch))
    const unpushed = there ? await commitsOnlyIn(git, repository, [`refs/heads/${branch}`], branch) : 0
    return { missing: true, changed: [], unpushed, underway: null }
  }
  const changed = await changedIn(git, top)
  const tips = await tipsOf(git, top, branch)
  return {
    missing: false,
    changed: changed.slice(0, MOST),
    unpushed: await commitsOnlyIn(git, top, tips, branch),
    underway: await underwayIn(registered),
  }
}

/** A repository that git cannot read any more has no branch to lose. */
async function hasBranch(git: Git, repository: string, branch: string): Promise<boolean> {
  try {
    return await branchExists(git, repository, branch)
  } catch (thrown) {
    if (thrown instanceof GitFailure) return false
    throw thrown
  }
}

/**
 * Removes a worktree with its content. Its branch is deleted only if Carrel made it and every commit exists elsewhere.
 * Commits on no branch get a branch.
 * @throws gone when the path holds something else
 */
export async function removeWorktree(git: Git, record: PlaceRecord, signal: AbortSignal): Promise<{ kept: string[] }> {
  const { repository } = gitOf(record)
  if ((await absentAsNull(lstat(repository))) === null)
    return { kept: [`The repository ${repository} no longer exists; its worktree was removed.`] }
  return await git.queue(repository, async () => {
    const kept = await takeOut(git, record, signal)
    return { kept: [...kept, ...(await settleBranch(git, record, signal))] }
  })
}

async function takeOut(git: Git, record: PlaceRecord, signal: AbortSignal): Promise<string[]> {
  const { top, repository } = gitOf(record)
  const there = await absentAsNull(lstat(top))
  if (there && (await registeredAs(top, repository)) === null) {
    // Files of others are not ours to delete.
    const text = `${top} is not the worktree that was made there. Move its files away, then remove the project again.`
    throw new CarrelError('gone', text)
  }
  const kept = there ? await rescueDetached(git, record, signal) : []
  try {
    // One --force is for changed files, one for the lock.
    await git.write(repository, ['worktree', 'remove', '--force', '--force', top], signal)
  } catch (thrown) {
    // The worktree is neither registered nor on disk: nothing is left to remove.
    if (there || !(thrown instanceof GitFailure)) throw thrown
  }
  return kept
}

/** Keeps the commits of a detached HEAD, which would be lost with the worktree. */
async function rescueDetached(git: Git, record: PlaceRecord, signal: AbortSignal): Promise<string[]> {
  const { top, branch } = gitOf(record)
  const head = await git.ask(top, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'])
  const onBranch = await git.ask(top, ['symbolic-ref', '--quiet', 'HEAD'])
  if (head === null || onBranch !== null) return []
  const count = Number(
    await git.read(top, ['rev-list', '--count', head.trim(), '--not', '--branches', '--remotes', '--tags']),
  )
  if (count === 0) return []
  const name = `${branch}-detached`
  await git.write(top, ['update-ref', `refs/heads/${name}`, head.trim()], signal)
  return [`${count} commits were on no branch: they are on ${name} now.`]
}

async function settleBranch(git: Git, record: PlaceRecord, signal: AbortSignal): Promise<string[]> {
  const { repository, branch, madeBranch, base } = gitOf(record)
  const ref = `refs/heads/${branch}`
  const tip = await git.ask(repository, ['rev-parse', '--verify', '--quiet', ref])
  if (tip === null) return []
  if (!madeBranch) return [`The branch ${branch} stays: Carrel did not make it.`]
  const at = await checkedOutAt(git, repository, branch)
  if (at !== null) return [`The branch ${branch} stays: it is checked out at ${at}.`]
  const only = tip.trim() === base ? 0 : await commitsOnlyIn(git, repository, [ref], branch)
  if (only > 0) return [`The branch ${branch} stays: ${only} of its commits exist nowhere else.`]
  // The branch is deleted only at the tip that was checked.
  await git.write(repository, ['update-ref', '-d', ref, tip.trim()], signal)
  return []
}

async function tipsOf(git: Git, top: string, branch: string): Promise<string[]> {
  const head = await git.ask(top, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'])
  const own = (await branchExists(git, top, branch)) ? [`refs/heads/${branch}`] : []
  return [...(head === null ? [] : [head.trim()]), ...own]
}

/** Returns uncommitted and untracked paths, also inside initialized submodules. */
async function changedIn(git: Git, top: string): Promise<string[]> {
  const filters = await git.filters(top)
  // With any other value git would start a git of its own in each submodule, without our isolation.
  const args = ['status', '--porcelain=v1', '-z', '--no-renames', '--untracked-files=all', '--ignore-submodules=dirty']
  const entries = (await git.read(top, args, { filters })).split('\0').filter((entry) => entry !== '')
  const changed = entries.map((entry) => entry.slice(3))
  for (const module of await submodulesOf(git, top)) {
    const inside = await changedIn(git, join(top, module))
    changed.push(...inside.map((path) => `${module}/${path}`))
  }
  return changed
}

async function submodulesOf(git: Git, top: string): Promise<string[]> {
  if ((await absentAsNull(lstat(join(top, '.gitmodules')))) === null) return []
  const staged = (await git.read(top, ['ls-files', '--stage', '-z'])).split('\0')
  const paths = staged.flatMap((line) => /^160000 [^\t]+\t(.*)$/s.exec(line)?.[1] ?? [])
  const filled = await Promise.all(paths.map((path) => absentAsNull(lstat(join(top, path, '.git')))))
  return paths.filter((_, index) => filled[index])
}
