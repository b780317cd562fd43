import { z } from 'zod'
import {
  type Carrel,
  type Input,
  type OperationName,
  type Output,
  operations,
  type Parsed,
  worksPaused,
} from '../api/index.ts'
import { pausedError } from '../model/binding.ts'
import { CarrelError } from '../model/errors.ts'
import { badInput, problemsOf, readInput } from '../model/input.ts'
import { oldFieldOf, operationNow } from '../model/old-names.ts'
import type { Caller } from '../model/tree.ts'
import type { Context } from './context.ts'
import { maskedError } from './masking.ts'
import type { Op } from './op.ts'
import { doctor, listAgents, serverStatus, suggestFolders } from './verbs/admin.ts'
import { refuseElsewhere } from './verbs/at-machine.ts'
import * as browsers from './verbs/browser-views.ts'
import * as environment from './verbs/environment.ts'
import { exportSession } from './verbs/export.ts'
import * as fileRules from './verbs/file-rules.ts'
import { follow } from './verbs/follow.ts'
import * as history from './verbs/history.ts'
import * as interactions from './verbs/interactions.ts'
import * as machines from './verbs/machines.ts'
import { unpause } from './verbs/pause.ts'
import * as places from './verbs/places.ts'
import * as plans from './verbs/plans.ts'
import { getPort, listPorts } from './verbs/ports.ts'
import { applyRetention, previewRetention } from './verbs/retention.ts'
import { searchItems } from './verbs/search.ts'
import * as secrets from './verbs/secrets.ts'
import * as sessions from './verbs/sessions.ts'
import * as tree from './verbs/tree.ts'

/** One function per operation: an operation without one does not compile. */
const HANDLERS: { readonly [N in OperationName]: Op<N> } = {
  'workspaces.list': tree.listWorkspaces,
  'workspaces.create': tree.createWorkspace,
  'workspaces.get': tree.getWorkspace,
  'workspaces.rename': tree.renameWorkspace,
  'workspaces.archive': tree.archiveWorkspace,
  'workspaces.delete': tree.deleteWorkspace,
  'spaces.list': tree.listSpaces,
  'spaces.create': tree.createSpace,
  'spaces.get': tree.getSpace,
  'spaces.rename': tree.renameSpace,
  'spaces.archive': tree.archiveSpace,
  'spaces.delete': tree.deleteSpace,
  'spaces.adopt': machines.adoptSpace,
  'machines.list': machines.listMachines,
  'projects.list': tree.listProjects,
  'projects.create': places.createProject,
  'projects.rename': tree.renameProject,
  'projects.archive': tree.archiveProject,
  'projects.delete': tree.deleteProject,
  'sessions.list': tree.listSessions,
  'sessions.create': tree.createSession,
  'sessions.get': tree.getSession,
  'sessions.rename': tree.renameSession,
  'sessions.fork': tree.forkSession,
  'sessions.archive': tree.archiveSession,
  'sessions.delete': tree.deleteSession,
  'sessions.view': sessions.viewSession,
  'sessions.items': sessions.listItems,
  'sessions.events': sessions.listEvents,
  'sessions.prompt': sessions.promptSession,
  'sessions.cancel': sessions.cancelRun,
  'sessions.configure': sessions.configureSession,
  'sessions.close': sessions.closeSession,
  'sessions.rebuild': sessions.rebuildSession,
  'prompts.edit': sessions.editPrompt,
  'prompts.withdraw': sessions.withdrawPrompt,
  'runs.list': sessions.listRuns,
  'runs.get': sessions.getRun,
  'interactions.list': interactions.listInteractions,
  'interactions.get': interactions.getInteraction,
  'interactions.answer': interactions.answerInteraction,
  'rules.list': interactions.listRules,
  'rules.add': interactions.addRule,
  'rules.move': interactions.moveRule,
  'rules.remove': interactions.removeRule,
  'history.status': history.historyStatus,
  'history.snapshots': history.listSnapshots,
  'history.capture': history.captureNow,
  'history.pin': history.pinSnapshot,
  'history.changes': history.listChanges,
  'history.path': history.pathHistory,
  'history.diff': history.diffPath,
  'history.file': history.readFileAt,
  'history.gaps': history.listGaps,
  'changes.list': history.historyEverywhere,
  'plans.make': plans.makePlan,
  'plans.diff': plans.diffPlan,
  'plans.apply': plans.applyPlan,
  'acts.list': plans.listActs,
  'fileRules.get': fileRules.getFileRules,
  'fileRules.set': fileRules.setFileRules,
  'fileRules.check': fileRules.checkPath,
  'places.drivers': places.listDrivers,
  'places.previewRemoval': places.placeRisks,
  'places.remove': places.removePlace,
  'places.export': places.exportPlace,
  'search.items': searchItems,
  'secrets.list': secrets.listSecrets,
  'secrets.put': secrets.putSecret,
  'secrets.remove': secrets.removeSecret,
  'secrets.rotate': secrets.rotateSecrets,
  'environment.get': environment.getEnvironment,
  'environment.set': environment.setEnvironment,
  'runs.environment': environment.givenToRun,
  'ports.list': listPorts,
  'browsers.list': browsers.listBrowsers,
  'browsers.takeOver': browsers.takeOverBrowser,
  'browsers.handBack': browsers.handBackBrowser,
  'browsers.input': browsers.inputToBrowser,
  'browsers.show': browsers.showTab,
  'browsers.keepPicture': browsers.keepPicture,
  'ports.get': getPort,
  'sessions.export': exportSession,
  'retention.preview': previewRetention,
  'retention.apply': applyRetention,
  'agents.list': listAgents,
  'folders.suggest': suggestFolders,
  'server.status': serverStatus,
  'server.unpause': unpause,
  'server.doctor': doctor,
}

/** Returns the operations for one caller. Checks input here and nowhere else; unexpected errors become `internal`. */
export function carrelFor(ctx: Context, caller: Caller): Carrel {
  return {
    async call<N extends OperationName>(name: N, input: Input<N>, signal?: AbortSignal): Promise<Output<N>> {
      if (!Object.hasOwn(operations, name)) throw noOperation(name)
      if (ctx.pause.reason && !worksPaused(name)) throw pausedError(ctx.pause.reason, caller.workspaces === null)
      const field = oldFieldOf(name, input)
      if (field) throw new CarrelError('bad_input', `\`${field.old}\` is called \`${field.now}\` now.`)
      const parsed = readInput(operations[name].input, input) as Parsed<N>
      try {
        await refuseElsewhere(ctx, caller, name, parsed)
        const handler = HANDLERS[name] as Op<OperationName> as unknown as Op<N>
        return await handler(ctx, caller, parsed, signal)
      } catch (thrown) {
        if (thrown instanceof z.ZodError) throw badInput(problemsOf(thrown))
        const { workspace } = parsed as { workspace?: string }
        const error = maskedError(thrown, ctx.vault.mask(workspace ?? ''))
        if (error.code === 'internal') ctx.log.error(`${name} failed`, error.cause)
        throw error
      }
    },
    follow: (targets, signal) => follow(ctx, caller, targets, signal),
  }
}

function noOperation(name: string): CarrelError {
  const now = operationNow(name)
  return new CarrelError('not_found', `There is no operation ${name}${now ? `: it is ${now} now` : ''}.`)
}
