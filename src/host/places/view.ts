import { type ChildProcess, spawn } from 'node:child_process'
import { type FileHandle, lstat, open, readdir, readFile, readlink } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { bootId } from '../proc-table.ts'
import type { PlaceRecord } from './place.ts'

/** Parts of a view: `upper` receives changes, `work` belongs to overlayfs, the view is mounted in `in`. */
export const PARTS = { upper: 'upper', work: 'work', appears: 'in' } as const

/** Rights for mounting: those of this process, or those of a new user namespace. */
export type Rights = NonNullable<NonNullable<PlaceRecord['overlay']>['rights']>

export interface ViewSpec {
  /** Folder of the parts; everything below it belongs to Carrel. */
  readonly folder: string
  /** Name of the view: the last part of its path. */
  readonly name: string
  /** Frozen tree below the view. */
  readonly lower: string
  readonly rights: Rights
  /** PATH for mount and other programs. */
  readonly path: string
}

export interface View {
  readonly path: string
  readonly root: string
  readonly enter: readonly string[]
  /** Identity of the mount, stable while any process is in it, also for a later server. */
  readonly namespace: string
  /** Releases the view; changes stay in the upper folder. */
  close(): Promise<void>
}

/**
 * The view is mounted on a folder of a small file system that exists only in the view's namespace. Its path exists in
 * no other namespace, so a program started outside by mistake fails instead of working elsewhere (F8). Mount options
 * contain only relative paths, which need no quoting.
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
 * Mounts a view. Two open files of this process keep it: its mount namespace, and a folder in it. They close with this
 * process, however it ends, and the view ends with the last agent in it (P1).
 * @throws Error with the system's message
 */
export async function mountView(spec: ViewSpec): Promise<View> {
  const user = spec.rights === 'user namespace'
  const ways = user ? ['--user', '--map-current-user', '--keep-caps', '--mount'] : ['--mount']
  const args = [...ways, '/bin/sh', '-c', MOUNT, 'carrel', spec.folder, spec.name, optionsOf(spec)]
  // The child ends with its input, so with this process at the latest.
  const child = spawn('unshare', args, { env: { PATH: spec.path, LC_ALL: 'C' }, cwd: '/', stdio: 'pipe' })
  try {
    await mounted(child)
    return await take(spec, child.pid ?? 0)
  } finally {
    child.stdin?.end()
  }
}

/** Finds a view that an agent still keeps mounted: a second mount would not see its writes. Null for none. */
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
      // A sandbox over the view closes the rest of the folder: a process that enters there would be inside the sandbox.
      await lstat(join(`/proc/${pid}/root`, spec.folder, PARTS.upper))
      return await take(spec, Number(pid))
    } catch {
      // The process ended meanwhile, or belongs to another user.
    }
  }
  return null
}

/** Returns the path of a mount as the kernel writes it. */
const mountedAs = (path: string): string =>
  path.replace(/[ \t\n\\]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`)

/** Opens the files that keep a view, from a process in its namespace. */
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

/** Returns mount options under which the upper folder lists the changes: whole files, own names. */
function optionsOf({ folder, lower, rights }: ViewSpec): string {
  const layers = `lowerdir=${relative(folder, lower)},upperdir=${PARTS.upper},workdir=${PARTS.work},index=off`
  // The kernel disables both in a user namespace, and rejects options that name them.
  return rights === 'own' ? `${layers},redirect_dir=off,metacopy=off` : `${layers},userxattr`
}

async function mounted(child: ChildProcess): Promise<void> {
  let output = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    output = `${output}${chunk}`.slice(-2_000)
  })
  child.stdin?.on('error', () => undefined)
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.stdout?.once('data', () => resolve())
    child.once('close', (code) => reject(new Error(output.trim().split('\n')[0] || `unshare ended with ${code}`)))
  })
}

async function closeAll(files: FileHandle[]): Promise<void> {
  await Promise.all(files.splice(0).map((file) => file.close()))
}
