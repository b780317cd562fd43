import type { LeaseStore } from '../lease.ts'
import type { EnvironmentStore, LogStore, PeopleStore, PortStore, SecretStore, TreeStore } from '../store.ts'
import type { Port } from './operations.ts'

/** The methods of a store, each one named transaction of `port`. */
export function methodsOver(port: Port): {
  tree: TreeStore
  log: LogStore
  leases: LeaseStore
  people: PeopleStore
  secrets: SecretStore
  environment: EnvironmentStore
  ports: PortStore
} {
  return {
    tree: treeOver(port),
    log: logOver(port),
    leases: leasesOver(port),
    people: peopleOver(port),
    secrets: secretsOver(port),
    environment: {
      at: (scope) => port.read('environment', scope),
      change: (scope, change, now) => port.write('changeScope', { scope, change, now }),
    },
    ports: {
      of: (workspace, place) => port.read('ports', { workspace, place }),
      taken: () => port.read('portsTaken', undefined as never),
      lease: (workspace, leased, now) => port.write('leasePort', { workspace, ...leased, now }),
      release: async (place) => void (await port.write('releasePorts', { place })),
    },
  }
}

function treeOver({ write, read }: Port): TreeStore {
  return {
    createWorkspace: (workspace, now) => write('createWorkspace', { workspace, now }),
    workspaces: () => read('workspaces', undefined as never),
    workspace: (id) => read('workspace', { id }),
    updateWorkspace: (id, patch, now) => write('updateWorkspace', { id, patch, now }),
    createSpace: (space, folderKey, now) => write('createSpace', { space, folderKey, now }),
    spaces: (workspace) => read('spaces', { workspace }),
    space: (workspace, id) => read('space', { workspace, id }),
    folders: () => read('folders', undefined as never),
    updateSpace: (workspace, id, patch, now) => write('updateSpace', { workspace, id, patch, now }),
    createProject: (project, now) => write('createProject', { project, now }),
    projects: (workspace, space) => read('projects', { workspace, space }),
    project: (workspace, id) => read('project', { workspace, id }),
    updateProject: (workspace, id, patch, now) => write('updateProject', { workspace, id, patch, now }),
    setPlace: (workspace, id, change, now) => write('setPlace', { workspace, id, ...change, now }),
    placeRecord: (workspace, id) => read('placeRecord', { workspace, id }),
    fileRules: (workspace, id) => read('fileRules', { workspace, id }),
    setFileRules: async (workspace, id, rules) => void (await write('setFileRules', { workspace, id, rules })),
    createSession: (session, now) => write('createSession', { session, now }),
    forkSession: (from, seq, session, now) => write('forkSession', { from, seq, session, now }),
    session: (workspace, id) => read('session', { workspace, id }),
    sessions: (workspace, filter, page) => read('sessions', { workspace, filter, page }),
    updateSession: (workspace, id, patch, now) => write('updateSession', { workspace, id, patch, now }),
    preview: (workspace, what) => read('preview', { workspace, what }),
    remove: (workspace, what, now) => write('remove', { workspace, what, now }),
    readWorkspace: (workspace, after, limit) => read('readWorkspace', { workspace, after, limit }),
    workspaceHead: (workspace) => read('workspaceHead', { workspace }),
  }
}

function logOver({ write, read }: Port): LogStore {
  return {
    submit: (workspace, session, asked, { key, now, begins = null }) =>
      write('submit', { workspace, session, asked, key, now, begins }),
    record: (right, session, batch, now) => write('record', { right, session, batch, now }),
    note: async (lease, noted, now) => void (await write('note', { lease, noted, now })),
    lastNoted: (place) => read('lastNoted', { place }),
    settle: (lease, session, fold, wakeAt, now) => write('settle', { lease, session, fold, wakeAt, now }),
    read: (session, after, limit) => read('read', { session, after, limit }),
    head: (session) => read('head', { session }),
    lastAdmitted: (session, before) => read('lastAdmitted', { session, before }),
    fold: (session) => read('fold', { session }),
    items: (session, before, limit) => read('items', { session, before, limit }),
    itemsByN: (session, ns) => read('itemsByN', { session, ns }),
    search: (workspace, filter, page) => read('search', { workspace, filter, page }),
    staleFolds: (before, limit) => read('staleFolds', { before, limit }),
    rebuild: async (session, fold) => void (await write('rebuild', { session, fold })),
    forgettableArchived: (before) => read('forgettableArchived', { before }),
    forgetArchived: (before) => write('forgetArchived', { before }),
    due: (now, limit) => read('due', { now, limit }),
    nextWake: (now) => read('nextWake', { now }),
    runs: (workspace, filter, page) => read('runs', { workspace, filter, page }),
    run: (workspace, id) => read('run', { workspace, id }),
    spent: (workspace, of) => read('spent', { workspace, of }),
  }
}

function leasesOver({ write, read }: Port): LeaseStore {
  return {
    acquire: (key, holder, ttlMs, now) => write('acquire', { key, holder, ttlMs, now }),
    renew: (lease, ttlMs, now) => write('renew', { lease, ttlMs, now }),
    renewAll: (leases, ttlMs, now) => write('renewAll', { leases, ttlMs, now }),
    release: async (lease) => void (await write('release', { lease })),
    releaseAll: async (holder) => void (await write('releaseAll', { holder })),
    holderOf: (key) => read('holderOf', { key }),
  }
}

function peopleOver({ write, read }: Port): PeopleStore {
  return {
    interaction: (workspace, id) => read('interaction', { workspace, id }),
    interactions: (workspace, filter, page) => read('interactions', { workspace, filter, page }),
    rules: (workspace) => read('rules', { workspace }),
    addRule: (rule, before, now) => write('addRule', { rule, before, now }),
    moveRule: (move, now) => write('moveRule', { ...move, now }),
    removeRule: (workspace, id, now) => write('removeRule', { workspace, id, now }),
  }
}

function secretsOver({ write, read }: Port): SecretStore {
  return {
    put: (secret) => write('putSecret', { secret }),
    remove: (handle) => write('removeSecret', { handle }),
    list: (workspace) => read('secrets', { workspace }),
    sealedOtherwise: (key, after, limit) => read('sealedOtherwise', { key, after, limit }),
    reseal: (secret, was) => write('reseal', { secret, was }),
  }
}
