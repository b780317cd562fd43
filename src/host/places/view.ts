import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { PlaceRecord } from './place.ts'

/** The parts of a view: `upper` takes what is changed, `work` is overlayfs's own, the view appears in `in`. */
export const PARTS = { upper: 'upper', work: 'work', appears: 'in' } as const

/** How this machine lets us mount: with the rights that we have, or as the master of a user namespace. */
export type Rights = NonNullable<NonNullable<PlaceRecord['overlay']>['rights']>

export interface ViewSpec {
  /** Holds the parts; all below it is Carrel's. */
  readonly folder: string
  /** What the view is called: the last part of its path. */
  readonly name: string
  /** The frozen tree below it. */
  readonly lower: string
  readonly rights: Rights
  /** PATH, where mount and its like are looked for. */
  readonly path: string
}

export interface View {
  readonly path: string
  readonly root: string
  readonly enter: readonly string[]
  readonly namespace: string
  /** Lets the view go; what was changed stays in the upper folder. */
  close(): Promise<void>
}

/**
 * The view is mounted on a folder of a small file system that exists in the view's namespace only. So its path leads
 * nowhere in every other namespace, and whatever is started outside by mistake fails instead of working elsewhere (F8).
 * Only relative paths stand in the options, which therefore need no quoting.
 */
const MOUNT = [
  'cd -- "$1"',
  'mount -t tmpfs -o size=1m,mode=0755 carrel in',
  'mkdir -- "in/$2"',
  'mount -o remount,ro in',
  'mount -t overlay -o "$3" carrel "in/$2"',
  'echo mounted',
  'exec cat >/dev/null',
].join(' && ')

/**
 * Mounts a view. What keeps it is not a process but two open files of this one: its mount namespace, and a folder in
 * it. They are gone with this process, however it ends, and so is the view once the last agent in it has ended (P1).
 *
 * @throws Error with what the system said
 */
export async function mountView(spec: ViewSpec): Promise<View> {
  const user = spec.rights === 'user namespace'
  const ways = user ? ['--user', '--map-current-user', '--keep-caps', '--mount'] : ['--mount']
  const words = [...ways, '/bin/sh', '-c', MOUNT, 'carrel', spec.folder, spec.name, optionsOf(spec)]
  // It ends with its input, so with this process at the latest.
  const child = spawn('unshare', words, { env: { PATH: spec.path, LC_ALL: 'C' }, cwd: '/', stdio: 'pipe' })
  const files: FileHandle[] = []
  try {
    await mounted(child)
    const take = async (path: string) => {
      const file = await open(`/proc/${child.pid}/${path}`)
      files.push(file)
      return `/proc/${process.pid}/fd/${file.fd}`
    }
    const folder = await take(join('root', spec.folder, PARTS.appears))
    const mount = `--mount=${await take('ns/mnt')}`
    const enter = user ? [`--user=${await take('ns/user')}`, '--preserve-credentials', mount] : [mount]
    return {
      path: join(spec.folder, PARTS.appears, spec.name),
      root: join(folder, spec.name),
      enter: ['nsenter', ...enter, '--'],
      namespace: randomUUID(),
      close: () => closeAll(files),
    }
  } catch (thrown) {
    await closeAll(files)
    throw thrown
  } finally {
    child.stdin?.end()
  }
}

/** With these the upper folder holds whole files under their own names, which is what makes it a list of what changed. */
function optionsOf({ folder, lower, rights }: ViewSpec): string {
  const layers = `lowerdir=${relative(folder, lower)},upperdir=${PARTS.upper},workdir=${PARTS.work},index=off`
  // The kernel has both off in a user namespace, and takes naming them for a contradiction.
  return rights === 'own' ? `${layers},redirect_dir=off,metacopy=off` : `${layers},userxattr`
}

async function mounted(child: ChildProcess): Promise<void> {
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said = `${said}${chunk}`.slice(-2_000)
  })
  child.stdin?.on('error', () => undefined)
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.stdout?.once('data', () => resolve())
    child.once('close', (code) => reject(new Error(said.trim().split('\n')[0] || `unshare ended with ${code}`)))
  })
}

async function closeAll(files: FileHandle[]): Promise<void> {
  await Promise.all(files.splice(0).map((file) => file.close()))
}
