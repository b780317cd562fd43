import { type ChildProcess, spawn } from 'node:child_process'
import { type FileHandle, lstat, open, readdir, readFile, readlink } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { bootId } from '../process/proc-table.ts'
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
  /** The mount itself: the same for as long as anybody is in it, also for a later server. */
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
  try {
    await mounted(child)
    return await take(spec, child.pid ?? 0)
  } finally {
    child.stdin?.end()
  }
}

/**
 * The same view where it is mounted still: an agent that outlived an earlier server is in it. A second mount over one upper
 * folder would not see what the first one writes. Null when nobody is in it.
 */
export async function findView(spec: ViewSpec): Promise<View | null> {
  const seen = new Set<string>()
  const at = mountedAs(join(spec.folder, PARTS.appears, spec.name))
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    try {
      const namespace = await readlink(`/proc/${pid}/ns/mnt`)
      if (seen.has(namespace)) continue
      seen.add(namespace)
      const mounts = await readFile(`/proc/${pid}/mountinfo`, 'utf8')
      if (!mounts.split('\n').some((line) => line.split(' ')[4] === at)) continue
      // In a sandbox over the view the rest of the folder is closed: whoever entered from there would be in it.
      await lstat(join(`/proc/${pid}/root`, spec.folder, PARTS.upper))
      return await take(spec, Number(pid))
    } catch {
      // It ended meanwhile, or is somebody else's.
    }
  }
  return null
}

/** As the kernel writes the path of a mount. */
function mountedAs(path: string): string {
  return path.replace(/[ \t\n\\]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

/** Opens what keeps a view, from a process that is in its namespace. */
async function take({ folder, name }: ViewSpec, pid: number): Promise<View> {
  const files: FileHandle[] = []
  const keep = async (path: string) => {
    const file = await open(`/proc/${pid}/${path}`)
    files.push(file)
    return `/proc/${process.pid}/fd/${file.fd}`
  }
  try {
    const root = join(await keep(join('root', folder, PARTS.appears)), name)
    const mount = `--mount=${await keep('ns/mnt')}`
    const other = (await readlink(`/proc/${pid}/ns/user`)) !== (await readlink('/proc/self/ns/user'))
    const enter = other ? [`--user=${await keep('ns/user')}`, '--preserve-credentials', mount] : [mount]
    return {
      path: join(folder, PARTS.appears, name),
      root,
      enter: ['nsenter', ...enter, '--'],
      namespace: `${bootId()} ${(await lstat(root)).dev}`,
      close: () => closeAll(files),
    }
  } catch (thrown) {
    await closeAll(files)
    throw thrown
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
