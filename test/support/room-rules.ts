import { posix } from 'node:path'
import type { Complaint } from './house-rules.ts'
import type { Source } from './source-reader.ts'

/** Floors whose folders and top files are rooms in a strict order. */
export const FLOORS_OF_ROOMS = ['src/engine', 'src/host', 'src/host/history', 'src/store', 'src/model', 'web']
const MOST_FILES = 25

/**
 * Complaints about rooms of `floor` that import each other in a circle, types included: then one arrow of the picture
 * runs up. A room is a folder directly below the floor, or a file there.
 */
export function checkRooms(sources: readonly Source[], floor: string): Complaint[] {
  const next = new Map<string, Map<string, string>>()
  for (const { path, imports } of sources.filter((one) => isCode(one.path) && one.path.startsWith(`${floor}/`))) {
    const from = roomOf(path, floor)
    const arrows = next.get(from) ?? new Map<string, string>()
    next.set(from, arrows)
    for (const { to, relative, started } of imports) {
      if (!relative || started || !to.startsWith(`${floor}/`) || roomOf(to, floor) === from) continue
      arrows.set(roomOf(to, floor), `${path} -> ${to}`)
    }
  }
  return circlesOf(next).map((circle) => `${floor}: rooms import each other: ${circle.join(', ')}.`)
}

/** Complaints about folders with more than 25 files of code. */
export function checkCrowds(sources: readonly Source[]): Complaint[] {
  const folders = Map.groupBy(
    sources.filter(({ path }) => isCode(path)),
    ({ path }) => posix.dirname(path),
  )
  return [...folders]
    .filter(([, files]) => files.length > MOST_FILES)
    .map(([folder, files]) => `${folder}: has ${files.length} files; ${MOST_FILES} are allowed. Find its rooms.`)
}

function isCode(path: string): boolean {
  return !/\.(test|config|d)\.tsx?$/.test(path)
}

function roomOf(path: string, floor: string): string {
  const [first = ''] = path.slice(floor.length + 1).split('/')
  return first
}

/** Returns each circle once, as the imports that make it. */
function circlesOf(next: ReadonlyMap<string, ReadonlyMap<string, string>>): string[][] {
  const circles: string[][] = []
  const done = new Set<string>()
  const walk = (room: string, trail: readonly (readonly [room: string, arrow: string])[]): void => {
    const at = trail.findIndex(([each]) => each === room)
    if (at >= 0) circles.push(trail.slice(at).map(([, arrow]) => arrow))
    if (at >= 0 || done.has(room)) return
    for (const [to, arrow] of next.get(room) ?? []) walk(to, [...trail, [room, arrow]])
    done.add(room)
  }
  for (const room of next.keys()) walk(room, [])
  return circles
}
